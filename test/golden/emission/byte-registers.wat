loop
  block
    local.get block
    br_table 0 2
  end
  local.get rax
  i64.const -65281
  i64.and
  local.get rbx
  i32.wrap_i64
  i32.const 255
  i32.and
  i64.extend_i32_u
  i64.const 8
  i64.shl
  i64.or
  local.tee t0
  i64.const -256
  i64.and
  local.get t0
  i32.wrap_i64
  local.tee t1
  local.get t0
  i32.wrap_i64
  i32.const 8
  i32.shr_u
  local.tee t2
  i32.add
  i32.const 255
  i32.and
  i64.extend_i32_u
  i64.or
  i32.const 120
  local.get t1
  i64.extend_i32_u
  local.get t2
  i64.extend_i32_u
  local.set flags1
  local.set flags0
  local.set flagKind
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
  i64.const 65540
  local.set rip
  i32.const 0
  local.set status
  br 1
end
