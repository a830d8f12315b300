loop
  block
    local.get block
    br_table 0 2
  end
  local.get rsi
  local.set t0
  local.get t0
  i64.const -4096
  i64.and
  i32.const 0
  i64.load [slot[12].page]
  i64.eq
  if (result i32)
    local.get t0
    i32.wrap_i64
    i32.const 0
    i32.load [slot[12].addend]
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
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      i32.const 0
      local.get t0
      i64.const -4096
      i64.and
      i64.store [slot[12].page]
      i32.const 0
      local.get t1
      i32.load [tlb.supervisor.addend]
      i32.store [slot[12].addend]
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
      i32.const 1
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
  i32.load8_u
  local.set t2
  local.get rdi
  local.get t2
  i64.extend_i32_u
  i64.const -256
  i64.and
  local.get t2
  i32.const 255
  i32.and
  local.get rax
  i32.wrap_i64
  i32.const 255
  i32.and
  i32.xor
  i64.extend_i32_u
  i64.or
  i32.wrap_i64
  i32.const 255
  i32.and
  local.tee t5
  i64.extend_i32_u
  i64.const 2
  i64.shl
  i64.add
  local.set t3
  local.get t3
  i64.const -4093
  i64.and
  i32.const 0
  i64.load [slot[14].page]
  i64.eq
  if (result i32)
    local.get t3
    i32.wrap_i64
    i32.const 0
    i32.load [slot[14].addend]
    i32.add
  else
    local.get t3
    i32.wrap_i64
    i32.const 7
    i32.shr_u
    i32.const 65504
    i32.and
    local.tee t4
    i64.load [tlb.supervisor.readTag]
    local.get t3
    i64.const 3
    i64.add
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      i32.const 0
      local.get t3
      i64.const -4096
      i64.and
      i64.store [slot[14].page]
      i32.const 0
      local.get t4
      i32.load [tlb.supervisor.addend]
      i32.store [slot[14].addend]
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
      i32.const 4
      i32.store [engine.missAccess]
      local.get t5
      i64.extend_i32_u
      local.get rax
      i32.wrap_i64
      local.tee t6
      i32.const 8
      i32.shr_u
      local.tee t7
      i64.extend_i32_u
      i32.const 128
      local.get t7
      i64.extend_i32_s
      local.tee t8
      local.get t8
      local.get t6
      i32.const 7
      i32.shr_u
      i32.const 1
      i32.and
      local.tee t9
      i64.extend_i32_u
      i64.const 63
      i64.shl
      local.get t9
      local.get t6
      i32.const 31
      i32.shr_u
      i32.xor
      i64.extend_i32_u
      i64.const 62
      i64.shl
      i64.or
      local.set flags2
      local.set flags1
      local.set flags0
      local.set flagKind
      local.set rax
      local.set rdx
      local.get budget
      i32.const 4
      i32.sub
      local.set budget
      i32.const 131081
      local.set partial
      i64.const 65547
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i32.load
  local.set t10
  local.get t5
  i64.extend_i32_u
  local.get rax
  i32.wrap_i64
  local.tee t11
  i32.const 8
  i32.shr_u
  local.tee t12
  local.get t10
  i32.xor
  local.tee t13
  i64.extend_i32_u
  i32.const 288
  local.get t13
  i64.extend_i32_u
  local.set flags0
  local.set flagKind
  local.set rax
  local.set rdx
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
  i64.const 65550
  local.set rip
  i32.const 0
  local.set status
  br 1
end
