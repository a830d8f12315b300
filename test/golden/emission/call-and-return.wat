loop
  block
    local.get block
    br_table 0 2 2
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
  i64.const 65541
  i64.store
  local.get t2
  local.set rsp
  local.get rsp
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
    i64.load [tlb.supervisor.readTag]
    local.get t0
    i64.const 7
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      local.get t1
      i64.load [tlb.supervisor.readTag]
      local.get t1
      i64.load [tlb.supervisor.writeTag]
      i64.eq
      if
        i32.const 0
        local.get t0
        i64.const -4096
        i64.and
        i64.store [slot[8].page]
        i32.const 0
        local.get t1
        i32.load [tlb.supervisor.addend]
        i32.store [slot[8].addend]
      end
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
      local.get rax
      i64.const 1
      i64.add
      local.tee t2
      i32.const 64
      local.get rax
      i64.const 1
      local.set flags1
      local.set flags0
      local.set flagKind
      local.set rax
      local.get budget
      i32.const 2
      i32.sub
      local.set budget
      i32.const 131587
      local.set partial
      i64.const 65546
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i64.load
  local.set t3
  local.get t3
  i64.const 16
  i64.shl
  i64.const 16
  i64.shr_s
  local.get t3
  i64.eq
  i32.eqz
  if
    local.get rax
    i64.const 1
    i64.add
    local.tee t4
    i32.const 64
    local.get rax
    i64.const 1
    local.set flags1
    local.set flags0
    local.set flagKind
    local.set rax
    local.get budget
    i32.const 2
    i32.sub
    local.set budget
    i32.const 131587
    local.set partial
    i64.const 65546
    local.set rip
    i32.const 4
    local.set status
    br 2
  end
  local.get t3
  local.set t5
  local.get rax
  i64.const 1
  i64.add
  local.tee t6
  local.get rsp
  i64.const 8
  i64.add
  i32.const 64
  local.get rax
  i64.const 1
  local.set flags1
  local.set flags0
  local.set flagKind
  local.set rsp
  local.set rax
  local.get budget
  i32.const 3
  i32.sub
  local.set budget
  local.get trail
  i32.const 131589
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
  local.get t5
  local.set t0
  local.get t0
  i32.wrap_i64
  i32.const -1640531535
  i32.mul
  i32.const 16
  i32.shr_u
  i32.const 5
  i32.shl
  local.tee t7
  i64.load [entry.key]
  local.get t0
  i32.const 0
  i64.load [engine.contextKey]
  i64.xor
  i64.eq
  local.get t7
  i32.load [entry.region]
  i32.const 1
  i32.eq
  i32.and
  local.get budget
  i32.const 1024
  i32.ge_s
  i32.and
  if
    local.get t0
    i64.const 65536
    i64.xor
    i64.const 4096
    i64.lt_u
    if (result i32)
      i32.const 1
    else
      local.get t0
      i32.wrap_i64
      i32.const 8
      i32.shr_u
      i32.const 16368
      i32.and
      i32.const 0
      i32.load [engine.fetchColumn]
      i32.add
      local.tee t1
      i64.load
      local.get t0
      i64.const -4096
      i64.and
      i64.xor
      i32.const 0
      i64.load [engine.pcid]
      i64.eq
      local.get t7
      i32.load [entry.frame]
      local.get t1
      i32.load [rcx]
      i32.eq
      i32.and
    end
    if
      local.get t7
      i32.load [entry.block]
      local.set block
      br 2
    end
  end
  local.get t0
  local.set rip
  i32.const 0
  local.set status
  br 1
end
