loop
  block
    local.get block
    br_table 0 2
  end
  local.get rax
  local.get rbx
  i64.add
  local.tee t0
  local.get rdx
  local.get rcx
  i64.add
  local.get t0
  local.get rax
  i64.lt_u
  i64.extend_i32_u
  i64.add
  local.tee t1
  i32.const 576
  local.get rdx
  local.get rcx
  local.get t1
  local.set flags2
  local.set flags1
  local.set flags0
  local.set flagKind
  local.set rdx
  local.set rax
  local.get budget
  i32.const 2
  i32.sub
  local.set budget
  local.get trail
  i32.const 131077
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
  i64.const 65542
  local.set rip
  i32.const 0
  local.set status
  br 1
end
