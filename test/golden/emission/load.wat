loop
  block
    local.get block
    br_table 0 2
  end
  local.get rdi
  i64.const 8
  i64.add
  local.set t0
  local.get t0
  i64.const -4089
  i64.and
  i32.const 0
  i64.load [slot[14].page]
  i64.eq
  if (result i32)
    local.get t0
    i32.wrap_i64
    i32.const 0
    i32.load [slot[14].addend]
    i32.add
  else
    local.get t0
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t1
    i64.load [tlb.supervisor.readTag]
    local.get t0
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      i32.const 0
      local.get t0
      i64.const -4096
      i64.and
      i64.store [slot[14].page]
      i32.const 0
      local.get t1
      i32.load [tlb.supervisor.addend]
      i32.store [slot[14].addend]
      local.get t0
      i32.wrap_i64
      local.get t1
      i32.load [tlb.supervisor.addend]
      i32.add
    else
      i32.const 0
      local.get t0
      i64.store [engine.missAddress]
      i32.const 0
      i32.const 8
      i32.store [engine.missAccess]
      i32.const 131073
      local.set partial
      i64.const 65536
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i64.load
  local.set t2
  local.get t2
  local.set rax
  local.get budget
  i32.const 1
  i32.sub
  local.set budget
  local.get trail
  i32.const 131075
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
  i64.const 65540
  local.set rip
  i32.const 0
  local.set status
  br 1
end
