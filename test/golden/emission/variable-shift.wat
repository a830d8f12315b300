loop
  block
    local.get block
    br_table 0 2
  end
  local.get flags0
  local.get flags2
  local.get flags0
  i64.const 0
  local.get flags1
  local.get flagKind
  i32.const 256
  i32.and
  select
  local.tee t0
  i64.add
  local.get flags0
  local.get t0
  i64.sub
  local.get flagKind
  i32.const 64
  i32.and
  local.tee t1
  select
  local.get flagKind
  i32.const 512
  i32.and
  select
  local.tee t2
  local.get flagKind
  i32.const 63
  i32.and
  i64.extend_i32_u
  local.tee t3
  i64.shl
  local.get t3
  i64.shr_s
  local.tee t4
  local.get flagKind
  i32.const 128
  i32.and
  local.tee t5
  select
  local.set t6
  local.get flags1
  local.get t4
  local.get t5
  select
  local.set t7
  local.get flags2
  local.get t2
  local.get flags0
  local.get t1
  select
  local.tee t8
  i64.const -1
  i64.xor
  local.get t0
  i64.and
  local.get t8
  local.get t0
  i64.xor
  i64.const -1
  i64.xor
  local.get flags0
  local.get t2
  local.get t1
  select
  i64.and
  i64.or
  local.tee t9
  local.get t3
  i64.shl
  local.get t9
  i64.const 8
  i64.and
  i64.or
  local.get t5
  select
  local.set t10
  local.get rcx
  i32.wrap_i64
  i32.const 255
  i32.and
  i32.const 63
  i32.and
  i64.extend_i32_u
  local.tee t11
  i64.eqz
  i32.eqz
  if
    local.get rax
    local.get t11
    i64.shl
    local.tee t12
    local.get t12
    local.get rax
    local.get t11
    i64.const 1
    i64.sub
    i64.shl
    i64.const 63
    i64.shr_u
    i32.wrap_i64
    local.tee t13
    i64.extend_i32_u
    i64.const 63
    i64.shl
    local.get t13
    local.get rax
    i64.const 63
    i64.shr_u
    i32.wrap_i64
    local.get rax
    i64.const 62
    i64.shr_u
    i32.wrap_i64
    i32.const 1
    i32.and
    i32.xor
    i32.xor
    i64.extend_i32_u
    i64.const 62
    i64.shl
    i64.or
    local.set t10
    local.set t7
    local.set t6
  end
  local.get rax
  local.get t11
  i64.shl
  local.tee t14
  i32.const 128
  local.get t6
  local.get t7
  local.get t10
  local.set flags2
  local.set flags1
  local.set flags0
  local.set flagKind
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
