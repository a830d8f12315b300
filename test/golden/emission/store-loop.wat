loop
  block
    local.get block
    br_table 0 2 2 2 2 2
  end
  i64.const 262144
  local.get rcx
  i64.add
  local.set t0
  local.get t0
  i64.const -4096
  i64.and
  i32.const 0
  i64.load [slot[15].page]
  i64.eq
  if (result i32)
    local.get t0
    i32.wrap_i64
    i32.const 0
    i32.load [slot[15].addend]
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
    i64.const -4096
    i64.and
    i64.eq
    if (result i32)
      i32.const 0
      local.get t0
      i64.const -4096
      i64.and
      i64.store [slot[15].page]
      i32.const 0
      local.get t1
      i32.load [tlb.supervisor.addend]
      i32.store [slot[15].addend]
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
      i32.const 257
      i32.store [engine.missAccess]
      i64.const 262144
      local.set rdi
      local.get budget
      i32.const 1
      i32.sub
      local.set budget
      i32.const 131075
      local.set partial
      i64.const 65543
      local.set rip
      i32.const 5
      local.set status
      br 3
    end
  end
  i32.const 1
  i32.store8
  local.get rcx
  i64.const 3
  i64.add
  local.tee t2
  i64.const 16
  i64.lt_u
  local.set t3
  i64.const 262144
  local.get t2
  i32.const 0
  local.get t2
  i64.const 16
  local.set flags1
  local.set flags0
  local.set flagKind
  local.set rcx
  local.set rdi
  local.get t3
  if
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
    i32.const 0
    i64.load [slot[15].page]
    local.set t4
    i32.const 0
    i32.load [slot[15].addend]
    local.set t5
    loop
      local.get rdi
      local.get rcx
      i64.add
      local.set t0
      local.get t0
      i64.const -4096
      i64.and
      local.get t4
      i64.eq
      if (result i32)
        local.get t0
        i32.wrap_i64
        local.get t5
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
        i64.const -4096
        i64.and
        i64.eq
        if (result i32)
          i32.const 0
          local.get t0
          i64.const -4096
          i64.and
          local.tee t4
          i64.store [slot[15].page]
          i32.const 0
          local.get t1
          i32.load [tlb.supervisor.addend]
          local.tee t5
          i32.store [slot[15].addend]
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
          i32.const 257
          i32.store [engine.missAccess]
          i32.const 131585
          local.set partial
          i64.const 65543
          local.set rip
          i32.const 5
          local.set status
          br 5
        end
      end
      i32.const 1
      i32.store8
      local.get rcx
      i64.const 3
      i64.add
      local.tee t2
      i64.const 16
      i64.lt_u
      local.set t3
      local.get t2
      i32.const 0
      local.get t2
      i64.const 16
      local.set flags1
      local.set flags0
      local.set flagKind
      local.set rcx
      local.get t3
      if
        local.get rdi
        local.get rcx
        i64.add
        local.set t0
        local.get t0
        i64.const -4096
        i64.and
        local.get t4
        i64.eq
        if (result i32)
          local.get t0
          i32.wrap_i64
          local.get t5
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
          i64.const -4096
          i64.and
          i64.eq
          if (result i32)
            i32.const 0
            local.get t0
            i64.const -4096
            i64.and
            local.tee t4
            i64.store [slot[15].page]
            i32.const 0
            local.get t1
            i32.load [tlb.supervisor.addend]
            local.tee t5
            i32.store [slot[15].addend]
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
            i32.const 257
            i32.store [engine.missAccess]
            local.get budget
            i32.const 4
            i32.sub
            local.set budget
            i32.const 132097
            local.set partial
            i64.const 65543
            local.set rip
            i32.const 5
            local.set status
            br 6
          end
        end
        i32.const 1
        i32.store8
        local.get rcx
        i64.const 3
        i64.add
        local.tee t2
        i64.const 16
        i64.lt_u
        local.set t3
        local.get t2
        i32.const 0
        local.get t2
        i64.const 16
        local.set flags1
        local.set flags0
        local.set flagKind
        local.set rcx
        local.get t3
        if
          local.get rdi
          local.get rcx
          i64.add
          local.set t0
          local.get t0
          i64.const -4096
          i64.and
          local.get t4
          i64.eq
          if (result i32)
            local.get t0
            i32.wrap_i64
            local.get t5
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
            i64.const -4096
            i64.and
            i64.eq
            if (result i32)
              i32.const 0
              local.get t0
              i64.const -4096
              i64.and
              local.tee t4
              i64.store [slot[15].page]
              i32.const 0
              local.get t1
              i32.load [tlb.supervisor.addend]
              local.tee t5
              i32.store [slot[15].addend]
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
              i32.const 257
              i32.store [engine.missAccess]
              local.get budget
              i32.const 8
              i32.sub
              local.set budget
              i32.const 132609
              local.set partial
              i64.const 65543
              local.set rip
              i32.const 5
              local.set status
              br 7
            end
          end
          i32.const 1
          i32.store8
          local.get rcx
          i64.const 3
          i64.add
          local.tee t2
          i64.const 16
          i64.lt_u
          local.set t3
          local.get t2
          i32.const 0
          local.get t2
          i64.const 16
          local.set flags1
          local.set flags0
          local.set flagKind
          local.set rcx
          local.get t3
          if
            local.get rdi
            local.get rcx
            i64.add
            local.set t0
            local.get t0
            i64.const -4096
            i64.and
            local.get t4
            i64.eq
            if (result i32)
              local.get t0
              i32.wrap_i64
              local.get t5
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
              i64.const -4096
              i64.and
              i64.eq
              if (result i32)
                i32.const 0
                local.get t0
                i64.const -4096
                i64.and
                local.tee t4
                i64.store [slot[15].page]
                i32.const 0
                local.get t1
                i32.load [tlb.supervisor.addend]
                local.tee t5
                i32.store [slot[15].addend]
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
                i32.const 257
                i32.store [engine.missAccess]
                local.get budget
                i32.const 12
                i32.sub
                local.set budget
                i32.const 133121
                local.set partial
                i64.const 65543
                local.set rip
                i32.const 5
                local.set status
                br 8
              end
            end
            i32.const 1
            i32.store8
            local.get rcx
            i64.const 3
            i64.add
            local.tee t2
            i64.const 16
            i64.lt_u
            local.set t3
            local.get t2
            i32.const 0
            local.get t2
            i64.const 16
            local.set flags1
            local.set flags0
            local.set flagKind
            local.set rcx
            local.get t3
            if
              local.get budget
              i32.const 16
              i32.sub
              local.set budget
              local.get trail
              i32.const 133129
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
                i64.const 65543
                local.set rip
                i32.const 0
                local.set status
                br 8
              end
              br 4
            else
              local.get budget
              i32.const 16
              i32.sub
              local.set budget
              local.get trail
              i32.const 133129
              i32.store [trail]
              local.get trail
              i32.const 4
              i32.add
              i32.const 511
              i32.and
              local.set trail
              i64.const 65557
              local.set rip
              i32.const 0
              local.set status
              br 7
            end
          else
            local.get budget
            i32.const 12
            i32.sub
            local.set budget
            local.get trail
            i32.const 132617
            i32.store [trail]
            local.get trail
            i32.const 4
            i32.add
            i32.const 511
            i32.and
            local.set trail
            i64.const 65557
            local.set rip
            i32.const 0
            local.set status
            br 6
          end
        else
          local.get budget
          i32.const 8
          i32.sub
          local.set budget
          local.get trail
          i32.const 132105
          i32.store [trail]
          local.get trail
          i32.const 4
          i32.add
          i32.const 511
          i32.and
          local.set trail
          i64.const 65557
          local.set rip
          i32.const 0
          local.set status
          br 5
        end
      else
        local.get budget
        i32.const 4
        i32.sub
        local.set budget
        local.get trail
        i32.const 131593
        i32.store [trail]
        local.get trail
        i32.const 4
        i32.add
        i32.const 511
        i32.and
        local.set trail
        i64.const 65557
        local.set rip
        i32.const 0
        local.set status
        br 4
      end
    end
  else
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
    i64.const 65557
    local.set rip
    i32.const 0
    local.set status
    br 2
  end
end
