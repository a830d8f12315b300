loop
  block
    local.get block
    br_table 0 2
  end
  i64.const 4295622656
  i64.const 16
  i64.shr_s
  i64.const 65546
  i64.eq
  i32.eqz
  if
    i64.const 65546
    local.set r8
    local.get budget
    i32.const 1
    i32.sub
    local.set budget
    i32.const 131075
    local.set partial
    i64.const 65543
    local.set rip
    i32.const 4
    local.set status
    br 2
  end
  i64.const 65546
  local.set t0
  i64.const 65546
  local.set r8
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
  local.get t0
  local.set t0
  local.get t0
  i32.wrap_i64
  i32.const -1640531535
  i32.mul
  i32.const 16
  i32.shr_u
  i32.const 5
  i32.shl
  local.tee t2
  i64.load [entry.key]
  local.get t0
  i32.const 0
  i64.load [engine.contextKey]
  i64.xor
  i64.eq
  local.get t2
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
      local.get t2
      i32.load [entry.frame]
      local.get t1
      i32.load [rcx]
      i32.eq
      i32.and
    end
    if
      local.get t2
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
