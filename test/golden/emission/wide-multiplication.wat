loop
  block
    local.get block
    br_table 0 2
  end
  local.get rax
  local.get rbx
  i64.mul
  local.tee t0
  local.get rax
  i64.const 32
  i64.shr_u
  local.tee t1
  local.get rbx
  i64.const 32
  i64.shr_u
  local.tee t2
  i64.mul
  local.get t1
  local.get rbx
  i64.const 4294967295
  i64.and
  local.tee t3
  i64.mul
  local.get rax
  i64.const 4294967295
  i64.and
  local.tee t4
  local.get t3
  i64.mul
  i64.const 32
  i64.shr_u
  i64.add
  local.tee t5
  i64.const 32
  i64.shr_u
  i64.add
  local.get t4
  local.get t2
  i64.mul
  local.get t5
  i64.const 4294967295
  i64.and
  i64.add
  i64.const 32
  i64.shr_u
  i64.add
  local.tee t6
  i32.const 128
  i64.const 1
  local.get t0
  local.get t6
  i64.eqz
  i32.eqz
  i64.extend_i32_u
  i64.const 63
  i64.shl
  local.set flags2
  local.set flags1
  local.set flags0
  local.set flagKind
  local.set rdx
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
  i64.const 65539
  local.set rip
  i32.const 0
  local.set status
  br 1
end
