loop
  block
    local.get block
    br_table 0 2 2 2 2 2
  end
  i32.const 1
  local.set t0
  i64.const 2
  local.get rax
  i64.const 7
  i64.shl
  local.get rdx
  i64.xor
  i64.const 61
  i64.rotl
  local.get rbx
  i64.add
  i32.const 32
  i64.const 3
  i64.const 1
  local.set flags1
  local.set flags0
  local.set flagKind
  local.set rax
  local.set rcx
  local.get t0
  if
    local.get budget
    i32.const 7
    i32.sub
    local.set budget
    local.get trail
    i32.const 131087
    i32.store [trail]
    local.get trail
    i32.const 4
    i32.add
    i32.const 511
    i32.and
    local.set trail
    loop
      local.get rcx
      i32.wrap_i64
      local.tee t0
      i32.const 1
      i32.eq
      i32.eqz
      local.set t1
      local.get rax
      i64.const 7
      i64.shl
      local.get rdx
      i64.xor
      i64.const 61
      i64.rotl
      local.get rbx
      i64.add
      local.get t0
      i32.const 1
      i32.sub
      i64.extend_i32_u
      i32.const 32
      local.get t0
      i64.extend_i32_u
      i64.const 1
      local.set flags1
      local.set flags0
      local.set flagKind
      local.set rcx
      local.set rax
      local.get t1
      if
        local.get rcx
        i32.wrap_i64
        local.tee t0
        i32.const 1
        i32.eq
        i32.eqz
        local.set t1
        local.get rax
        i64.const 7
        i64.shl
        local.get rdx
        i64.xor
        i64.const 61
        i64.rotl
        local.get rbx
        i64.add
        local.get t0
        i32.const 1
        i32.sub
        i64.extend_i32_u
        i32.const 32
        local.get t0
        i64.extend_i32_u
        i64.const 1
        local.set flags1
        local.set flags0
        local.set flagKind
        local.set rcx
        local.set rax
        local.get t1
        if
          local.get rcx
          i32.wrap_i64
          local.tee t0
          i32.const 1
          i32.eq
          i32.eqz
          local.set t1
          local.get rax
          i64.const 7
          i64.shl
          local.get rdx
          i64.xor
          i64.const 61
          i64.rotl
          local.get rbx
          i64.add
          local.get t0
          i32.const 1
          i32.sub
          i64.extend_i32_u
          i32.const 32
          local.get t0
          i64.extend_i32_u
          i64.const 1
          local.set flags1
          local.set flags0
          local.set flagKind
          local.set rcx
          local.set rax
          local.get t1
          if
            local.get rcx
            i32.wrap_i64
            local.tee t0
            i32.const 1
            i32.eq
            i32.eqz
            local.set t1
            local.get rax
            i64.const 7
            i64.shl
            local.get rdx
            i64.xor
            i64.const 61
            i64.rotl
            local.get rbx
            i64.add
            local.get t0
            i32.const 1
            i32.sub
            i64.extend_i32_u
            i32.const 32
            local.get t0
            i64.extend_i32_u
            i64.const 1
            local.set flags1
            local.set flags0
            local.set flagKind
            local.set rcx
            local.set rax
            local.get t1
            if
              local.get budget
              i32.const 24
              i32.sub
              local.set budget
              local.get trail
              i32.const 133133
              i32.store [trail]
              local.get trail
              i32.const 4
              i32.add
              i32.const 511
              i32.and
              local.set trail
              local.get budget
              i32.const 1024
              i32.lt_s
              if
                i64.const 65541
                local.set rip
                i32.const 0
                local.set status
                br 8
              end
              br 4
            else
              local.get budget
              i32.const 24
              i32.sub
              local.set budget
              local.get trail
              i32.const 133133
              i32.store [trail]
              local.get trail
              i32.const 4
              i32.add
              i32.const 511
              i32.and
              local.set trail
              i64.const 65560
              local.set rip
              i32.const 0
              local.set status
              br 7
            end
          else
            local.get budget
            i32.const 18
            i32.sub
            local.set budget
            local.get trail
            i32.const 132621
            i32.store [trail]
            local.get trail
            i32.const 4
            i32.add
            i32.const 511
            i32.and
            local.set trail
            i64.const 65560
            local.set rip
            i32.const 0
            local.set status
            br 6
          end
        else
          local.get budget
          i32.const 12
          i32.sub
          local.set budget
          local.get trail
          i32.const 132109
          i32.store [trail]
          local.get trail
          i32.const 4
          i32.add
          i32.const 511
          i32.and
          local.set trail
          i64.const 65560
          local.set rip
          i32.const 0
          local.set status
          br 5
        end
      else
        local.get budget
        i32.const 6
        i32.sub
        local.set budget
        local.get trail
        i32.const 131597
        i32.store [trail]
        local.get trail
        i32.const 4
        i32.add
        i32.const 511
        i32.and
        local.set trail
        i64.const 65560
        local.set rip
        i32.const 0
        local.set status
        br 4
      end
    end
  else
    local.get budget
    i32.const 7
    i32.sub
    local.set budget
    local.get trail
    i32.const 131087
    i32.store [trail]
    local.get trail
    i32.const 4
    i32.add
    i32.const 511
    i32.and
    local.set trail
    i64.const 65560
    local.set rip
    i32.const 0
    local.set status
    br 2
  end
end
