i32.const 0
i32.load [engine.budget]
local.set budget
i32.const 0
i64.load [engine.pcid]
local.set pcid
i32.const 0
i32.load [engine.trail]
local.set trail
i32.const 0
i64.load
local.set rax
i32.const 0
i64.load [rbx]
local.set rbx
i32.const 0
i64.load [zeroWord]
local.set flags0
i32.const 0
i64.load [signParityWord]
local.set flags1
i32.const 0
i64.load [carriesWord]
local.set flags2
i32.const 128
local.set flagKind
block
  loop
    block
      local.get block
      br_table 0 2
    end
    local.get rax
    local.get rbx
    i64.add
    i32.const 64
    local.get rax
    local.get rbx
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
end
i32.const 0
local.get rax
i64.store
i32.const 0
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
i64.store [zeroWord]
i32.const 0
local.get flags1
local.get t4
local.get t5
select
i64.store [signParityWord]
i32.const 0
local.get flags2
local.get t2
local.get flags0
local.get t1
select
local.tee t6
i64.const -1
i64.xor
local.get t0
i64.and
local.get t6
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
local.tee t7
local.get t3
i64.shl
local.get t7
i64.const 8
i64.and
i64.or
local.get t5
select
i64.store [carriesWord]
local.get partial
if
  local.get trail
  local.get partial
  i32.store [trail]
  local.get trail
  i32.const 4
  i32.add
  i32.const 511
  i32.and
  local.set trail
end
i32.const 0
local.get trail
i32.store [engine.trail]
i32.const 0
local.get rip
i64.store [rip]
i32.const 0
local.get budget
i32.store [engine.budget]
i32.const 0
i32.const 1
i32.store [engine.leftRegion]
local.get status
