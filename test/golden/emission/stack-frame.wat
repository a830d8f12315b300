loop
  block
    local.get block
    br_table 0 2
  end
  local.get rsp
  i64.const -8
  i64.add
  local.tee t2
  local.set t0
  local.get t0
  i64.const -4089
  i64.and
  i32.const 0
  i64.load [slot[8].page]
  i64.eq
  if (result i32)
    local.get t0
    i32.wrap_i64
    i32.const 0
    i32.load [slot[8].addend]
    i32.add
  else
    local.get t0
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t1
    i64.load [tlb.supervisor.writeTag]
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
      i64.store [slot[8].page]
      i32.const 0
      local.get t1
      i32.load [tlb.supervisor.addend]
      i32.store [slot[8].addend]
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
      i32.const 264
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
  local.get rbp
  i64.store
  local.get t2
  i64.const -8
  i64.add
  local.tee t5
  local.set t3
  local.get t3
  i64.const -4089
  i64.and
  i32.const 0
  i64.load [slot[8].page]
  i64.eq
  if (result i32)
    local.get t3
    i32.wrap_i64
    i32.const 0
    i32.load [slot[8].addend]
    i32.add
  else
    local.get t3
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t4
    i64.load [tlb.supervisor.writeTag]
    local.get t3
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      i32.const 0
      local.get t3
      i64.const -4096
      i64.and
      i64.store [slot[8].page]
      i32.const 0
      local.get t4
      i32.load [tlb.supervisor.addend]
      i32.store [slot[8].addend]
      local.get t3
      i32.wrap_i64
      local.get t4
      i32.load [tlb.supervisor.addend]
      i32.add
    else
      i32.const 0
      local.get t3
      i64.store [engine.missAddress]
      i32.const 0
      i32.const 264
      i32.store [engine.missAccess]
      local.get t2
      local.set rsp
      local.get budget
      i32.const 1
      i32.sub
      local.set budget
      i32.const 131075
      local.set partial
      i64.const 65537
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  local.get rbx
  i64.store
  local.get t5
  local.set t6
  local.get t6
  i64.const -4089
  i64.and
  i32.const 0
  i64.load [slot[8].page]
  i64.eq
  if (result i32)
    local.get t6
    i32.wrap_i64
    i32.const 0
    i32.load [slot[8].addend]
    i32.add
  else
    local.get t6
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t7
    i64.load [tlb.supervisor.readTag]
    local.get t6
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      local.get t7
      i64.load [tlb.supervisor.readTag]
      local.get t7
      i64.load [tlb.supervisor.writeTag]
      i64.eq
      if
        i32.const 0
        local.get t6
        i64.const -4096
        i64.and
        i64.store [slot[8].page]
        i32.const 0
        local.get t7
        i32.load [tlb.supervisor.addend]
        i32.store [slot[8].addend]
      end
      local.get t6
      i32.wrap_i64
      local.get t7
      i32.load [tlb.supervisor.addend]
      i32.add
    else
      i32.const 0
      local.get t6
      i64.store [engine.missAddress]
      i32.const 0
      i32.const 8
      i32.store [engine.missAccess]
      local.get t5
      local.get rdi
      local.set rbp
      local.set rsp
      local.get budget
      i32.const 3
      i32.sub
      local.set budget
      i32.const 131079
      local.set partial
      i64.const 65541
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i64.load
  local.set t8
  local.get t5
  i64.const 8
  i64.add
  local.tee t11
  local.set t9
  local.get t9
  i64.const -4089
  i64.and
  i32.const 0
  i64.load [slot[8].page]
  i64.eq
  if (result i32)
    local.get t9
    i32.wrap_i64
    i32.const 0
    i32.load [slot[8].addend]
    i32.add
  else
    local.get t9
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t10
    i64.load [tlb.supervisor.readTag]
    local.get t9
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      local.get t10
      i64.load [tlb.supervisor.readTag]
      local.get t10
      i64.load [tlb.supervisor.writeTag]
      i64.eq
      if
        i32.const 0
        local.get t9
        i64.const -4096
        i64.and
        i64.store [slot[8].page]
        i32.const 0
        local.get t10
        i32.load [tlb.supervisor.addend]
        i32.store [slot[8].addend]
      end
      local.get t9
      i32.wrap_i64
      local.get t10
      i32.load [tlb.supervisor.addend]
      i32.add
    else
      i32.const 0
      local.get t9
      i64.store [engine.missAddress]
      i32.const 0
      i32.const 8
      i32.store [engine.missAccess]
      local.get t11
      local.get rdi
      local.get t8
      local.set rbx
      local.set rbp
      local.set rsp
      local.get budget
      i32.const 4
      i32.sub
      local.set budget
      i32.const 131081
      local.set partial
      i64.const 65542
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i64.load
  local.set t12
  local.get t11
  i64.const 8
  i64.add
  local.get t12
  local.get t8
  local.set rbx
  local.set rbp
  local.set rsp
  local.get budget
  i32.const 5
  i32.sub
  local.set budget
  local.get trail
  i32.const 131083
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
  i64.const 65543
  local.set rip
  i32.const 0
  local.set status
  br 1
end
