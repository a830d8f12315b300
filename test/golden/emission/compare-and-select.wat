loop
  block
    local.get block
    br_table 0 2
  end
  local.get rbx
  i64.const -256
  i64.and
  local.get rax
  local.get rdx
  i64.lt_s
  i64.extend_i32_u
  i64.or
  local.get rdx
  local.get rax
  local.get rax
  local.get rdx
  i64.lt_s
  select
  local.get rcx
  i32.wrap_i64
  local.get rcx
  i32.wrap_i64
  i32.xor
  local.tee t0
  i64.extend_i32_u
  i32.const 288
  local.get t0
  i64.extend_i32_u
  local.set flags0
  local.set flagKind
  local.set rcx
  local.set rax
  local.set rbx
  local.get budget
  i32.const 4
  i32.sub
  local.set budget
  local.get trail
  i32.const 131081
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
  i64.const 65548
  local.set rip
  i32.const 0
  local.set status
  br 1
end
