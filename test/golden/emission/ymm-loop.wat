loop
  block
    local.get block
    br_table 0 2 2 2 2
  end
  i32.const 0
  i64.load [slot[12].page]
  local.set t0
  i32.const 0
  i32.load [slot[12].addend]
  local.set t1
  i32.const 0
  i64.load [slot[15].page]
  local.set t2
  i32.const 0
  i32.load [slot[15].addend]
  local.set t3
  loop
    i32.const 0
    i32.load [engine.avxBlocked]
    local.set t9
    local.get t9
    i32.eqz
    i32.eqz
    if
      i64.const 65536
      local.set rip
      i32.const 4
      local.set status
      br 3
    end
    local.get rsi
    local.get rcx
    i64.add
    local.set t10
    local.get t10
    i64.const -4065
    i64.and
    local.get t0
    i64.eq
    if (result i32)
      local.get t10
      i32.wrap_i64
      local.get t1
      i32.add
    else
      local.get t10
      i32.wrap_i64
      i32.const 7
      i32.shr_u
      i32.const 65504
      i32.and
      local.tee t11
      i64.load [tlb.supervisor.readTag]
      local.get t10
      i64.const 31
      i64.add
      i64.const -4096
      i64.and
      i64.eq
      if (result i32)
        i32.const 0
        local.get t10
        i64.const -4096
        i64.and
        local.tee t0
        i64.store [slot[12].page]
        i32.const 0
        local.get t11
        i32.load [tlb.supervisor.addend]
        local.tee t1
        i32.store [slot[12].addend]
        local.get t10
        i32.wrap_i64
        local.get t11
        i32.load [tlb.supervisor.addend]
        i32.add
      else
        i32.const 0
        local.get t10
        i64.store [engine.missAddress]
        i32.const 0
        i32.const 32
        i32.store [engine.missAccess]
        i32.const 131073
        local.set partial
        i64.const 65536
        local.set rip
        i32.const 5
        local.set status
        br 4
      end
    end
    local.tee t12
    v128.load
    local.set t13
    local.get t12
    v128.load [rdx]
    local.set t14
    local.get rdi
    local.get rcx
    i64.add
    local.set t15
    local.get t15
    i64.const -4065
    i64.and
    local.get t2
    i64.eq
    if (result i32)
      local.get t15
      i32.wrap_i64
      local.get t3
      i32.add
    else
      local.get t15
      i32.wrap_i64
      i32.const 7
      i32.shr_u
      i32.const 65504
      i32.and
      local.tee t16
      i64.load [tlb.supervisor.writeTag]
      local.get t15
      i64.const 31
      i64.add
      i64.const -4096
      i64.and
      i64.eq
      if (result i32)
        i32.const 0
        local.get t15
        i64.const -4096
        i64.and
        local.tee t2
        i64.store [slot[15].page]
        i32.const 0
        local.get t16
        i32.load [tlb.supervisor.addend]
        local.tee t3
        i32.store [slot[15].addend]
        local.get t15
        i32.wrap_i64
        local.get t16
        i32.load [tlb.supervisor.addend]
        i32.add
      else
        i32.const 0
        local.get t15
        i64.store [engine.missAddress]
        i32.const 0
        i32.const 288
        i32.store [engine.missAccess]
        local.get t13
        local.get t4
        i8x16.add
        local.tee t17
        local.get t14
        local.get t5
        i8x16.add
        local.tee t18
        local.set t7
        local.set t6
        local.get budget
        i32.const 2
        i32.sub
        local.set budget
        i32.const 131077
        local.set partial
        i64.const 65545
        local.set rip
        i32.const 5
        local.set status
        br 4
      end
    end
    local.tee t19
    local.get t13
    local.get t4
    i8x16.add
    local.tee t20
    v128.store
    local.get t19
    local.get t14
    local.get t5
    i8x16.add
    local.tee t21
    v128.store [rdx]
    i32.const 0
    v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
    v128.store [ymmHigh[6]]
    local.get rcx
    i64.const 32
    i64.add
    local.tee t22
    i64.eqz
    i32.eqz
    local.set t23
    local.get t22
    local.get t20
    local.get t21
    local.get t8
    local.get t8
    v128.xor
    i32.const 64
    local.get rcx
    i64.const 32
    local.set flags1
    local.set flags0
    local.set flagKind
    local.set t8
    local.set t7
    local.set t6
    local.set rcx
    local.get t23
    if
      i32.const 0
      i32.load [engine.avxBlocked]
      local.set t9
      local.get t9
      i32.eqz
      i32.eqz
      if
        local.get budget
        i32.const 6
        i32.sub
        local.set budget
        i32.const 131585
        local.set partial
        i64.const 65536
        local.set rip
        i32.const 4
        local.set status
        br 4
      end
      local.get rsi
      local.get rcx
      i64.add
      local.set t10
      local.get t10
      i64.const -4065
      i64.and
      local.get t0
      i64.eq
      if (result i32)
        local.get t10
        i32.wrap_i64
        local.get t1
        i32.add
      else
        local.get t10
        i32.wrap_i64
        i32.const 7
        i32.shr_u
        i32.const 65504
        i32.and
        local.tee t11
        i64.load [tlb.supervisor.readTag]
        local.get t10
        i64.const 31
        i64.add
        i64.const -4096
        i64.and
        i64.eq
        if (result i32)
          i32.const 0
          local.get t10
          i64.const -4096
          i64.and
          local.tee t0
          i64.store [slot[12].page]
          i32.const 0
          local.get t11
          i32.load [tlb.supervisor.addend]
          local.tee t1
          i32.store [slot[12].addend]
          local.get t10
          i32.wrap_i64
          local.get t11
          i32.load [tlb.supervisor.addend]
          i32.add
        else
          i32.const 0
          local.get t10
          i64.store [engine.missAddress]
          i32.const 0
          i32.const 32
          i32.store [engine.missAccess]
          local.get budget
          i32.const 6
          i32.sub
          local.set budget
          i32.const 131585
          local.set partial
          i64.const 65536
          local.set rip
          i32.const 5
          local.set status
          br 5
        end
      end
      local.tee t12
      v128.load
      local.set t13
      local.get t12
      v128.load [rdx]
      local.set t14
      local.get rdi
      local.get rcx
      i64.add
      local.set t15
      local.get t15
      i64.const -4065
      i64.and
      local.get t2
      i64.eq
      if (result i32)
        local.get t15
        i32.wrap_i64
        local.get t3
        i32.add
      else
        local.get t15
        i32.wrap_i64
        i32.const 7
        i32.shr_u
        i32.const 65504
        i32.and
        local.tee t16
        i64.load [tlb.supervisor.writeTag]
        local.get t15
        i64.const 31
        i64.add
        i64.const -4096
        i64.and
        i64.eq
        if (result i32)
          i32.const 0
          local.get t15
          i64.const -4096
          i64.and
          local.tee t2
          i64.store [slot[15].page]
          i32.const 0
          local.get t16
          i32.load [tlb.supervisor.addend]
          local.tee t3
          i32.store [slot[15].addend]
          local.get t15
          i32.wrap_i64
          local.get t16
          i32.load [tlb.supervisor.addend]
          i32.add
        else
          i32.const 0
          local.get t15
          i64.store [engine.missAddress]
          i32.const 0
          i32.const 288
          i32.store [engine.missAccess]
          local.get t13
          local.get t4
          i8x16.add
          local.tee t17
          local.get t14
          local.get t5
          i8x16.add
          local.tee t18
          local.set t7
          local.set t6
          local.get budget
          i32.const 8
          i32.sub
          local.set budget
          i32.const 131589
          local.set partial
          i64.const 65545
          local.set rip
          i32.const 5
          local.set status
          br 5
        end
      end
      local.tee t19
      local.get t13
      local.get t4
      i8x16.add
      local.tee t20
      v128.store
      local.get t19
      local.get t14
      local.get t5
      i8x16.add
      local.tee t21
      v128.store [rdx]
      i32.const 0
      v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
      v128.store [ymmHigh[6]]
      local.get rcx
      i64.const 32
      i64.add
      local.tee t22
      i64.eqz
      i32.eqz
      local.set t23
      local.get t22
      local.get t20
      local.get t21
      local.get t8
      local.get t8
      v128.xor
      i32.const 64
      local.get rcx
      i64.const 32
      local.set flags1
      local.set flags0
      local.set flagKind
      local.set t8
      local.set t7
      local.set t6
      local.set rcx
      local.get t23
      if
        i32.const 0
        i32.load [engine.avxBlocked]
        local.set t9
        local.get t9
        i32.eqz
        i32.eqz
        if
          local.get budget
          i32.const 12
          i32.sub
          local.set budget
          i32.const 132097
          local.set partial
          i64.const 65536
          local.set rip
          i32.const 4
          local.set status
          br 5
        end
        local.get rsi
        local.get rcx
        i64.add
        local.set t10
        local.get t10
        i64.const -4065
        i64.and
        local.get t0
        i64.eq
        if (result i32)
          local.get t10
          i32.wrap_i64
          local.get t1
          i32.add
        else
          local.get t10
          i32.wrap_i64
          i32.const 7
          i32.shr_u
          i32.const 65504
          i32.and
          local.tee t11
          i64.load [tlb.supervisor.readTag]
          local.get t10
          i64.const 31
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          if (result i32)
            i32.const 0
            local.get t10
            i64.const -4096
            i64.and
            local.tee t0
            i64.store [slot[12].page]
            i32.const 0
            local.get t11
            i32.load [tlb.supervisor.addend]
            local.tee t1
            i32.store [slot[12].addend]
            local.get t10
            i32.wrap_i64
            local.get t11
            i32.load [tlb.supervisor.addend]
            i32.add
          else
            i32.const 0
            local.get t10
            i64.store [engine.missAddress]
            i32.const 0
            i32.const 32
            i32.store [engine.missAccess]
            local.get budget
            i32.const 12
            i32.sub
            local.set budget
            i32.const 132097
            local.set partial
            i64.const 65536
            local.set rip
            i32.const 5
            local.set status
            br 6
          end
        end
        local.tee t12
        v128.load
        local.set t13
        local.get t12
        v128.load [rdx]
        local.set t14
        local.get rdi
        local.get rcx
        i64.add
        local.set t15
        local.get t15
        i64.const -4065
        i64.and
        local.get t2
        i64.eq
        if (result i32)
          local.get t15
          i32.wrap_i64
          local.get t3
          i32.add
        else
          local.get t15
          i32.wrap_i64
          i32.const 7
          i32.shr_u
          i32.const 65504
          i32.and
          local.tee t16
          i64.load [tlb.supervisor.writeTag]
          local.get t15
          i64.const 31
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          if (result i32)
            i32.const 0
            local.get t15
            i64.const -4096
            i64.and
            local.tee t2
            i64.store [slot[15].page]
            i32.const 0
            local.get t16
            i32.load [tlb.supervisor.addend]
            local.tee t3
            i32.store [slot[15].addend]
            local.get t15
            i32.wrap_i64
            local.get t16
            i32.load [tlb.supervisor.addend]
            i32.add
          else
            i32.const 0
            local.get t15
            i64.store [engine.missAddress]
            i32.const 0
            i32.const 288
            i32.store [engine.missAccess]
            local.get t13
            local.get t4
            i8x16.add
            local.tee t17
            local.get t14
            local.get t5
            i8x16.add
            local.tee t18
            local.set t7
            local.set t6
            local.get budget
            i32.const 14
            i32.sub
            local.set budget
            i32.const 132101
            local.set partial
            i64.const 65545
            local.set rip
            i32.const 5
            local.set status
            br 6
          end
        end
        local.tee t19
        local.get t13
        local.get t4
        i8x16.add
        local.tee t20
        v128.store
        local.get t19
        local.get t14
        local.get t5
        i8x16.add
        local.tee t21
        v128.store [rdx]
        i32.const 0
        v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
        v128.store [ymmHigh[6]]
        local.get rcx
        i64.const 32
        i64.add
        local.tee t22
        i64.eqz
        i32.eqz
        local.set t23
        local.get t22
        local.get t20
        local.get t21
        local.get t8
        local.get t8
        v128.xor
        i32.const 64
        local.get rcx
        i64.const 32
        local.set flags1
        local.set flags0
        local.set flagKind
        local.set t8
        local.set t7
        local.set t6
        local.set rcx
        local.get t23
        if
          i32.const 0
          i32.load [engine.avxBlocked]
          local.set t9
          local.get t9
          i32.eqz
          i32.eqz
          if
            local.get budget
            i32.const 18
            i32.sub
            local.set budget
            i32.const 132609
            local.set partial
            i64.const 65536
            local.set rip
            i32.const 4
            local.set status
            br 6
          end
          local.get rsi
          local.get rcx
          i64.add
          local.set t10
          local.get t10
          i64.const -4065
          i64.and
          local.get t0
          i64.eq
          if (result i32)
            local.get t10
            i32.wrap_i64
            local.get t1
            i32.add
          else
            local.get t10
            i32.wrap_i64
            i32.const 7
            i32.shr_u
            i32.const 65504
            i32.and
            local.tee t11
            i64.load [tlb.supervisor.readTag]
            local.get t10
            i64.const 31
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            if (result i32)
              i32.const 0
              local.get t10
              i64.const -4096
              i64.and
              local.tee t0
              i64.store [slot[12].page]
              i32.const 0
              local.get t11
              i32.load [tlb.supervisor.addend]
              local.tee t1
              i32.store [slot[12].addend]
              local.get t10
              i32.wrap_i64
              local.get t11
              i32.load [tlb.supervisor.addend]
              i32.add
            else
              i32.const 0
              local.get t10
              i64.store [engine.missAddress]
              i32.const 0
              i32.const 32
              i32.store [engine.missAccess]
              local.get budget
              i32.const 18
              i32.sub
              local.set budget
              i32.const 132609
              local.set partial
              i64.const 65536
              local.set rip
              i32.const 5
              local.set status
              br 7
            end
          end
          local.tee t12
          v128.load
          local.set t13
          local.get t12
          v128.load [rdx]
          local.set t14
          local.get rdi
          local.get rcx
          i64.add
          local.set t15
          local.get t15
          i64.const -4065
          i64.and
          local.get t2
          i64.eq
          if (result i32)
            local.get t15
            i32.wrap_i64
            local.get t3
            i32.add
          else
            local.get t15
            i32.wrap_i64
            i32.const 7
            i32.shr_u
            i32.const 65504
            i32.and
            local.tee t16
            i64.load [tlb.supervisor.writeTag]
            local.get t15
            i64.const 31
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            if (result i32)
              i32.const 0
              local.get t15
              i64.const -4096
              i64.and
              local.tee t2
              i64.store [slot[15].page]
              i32.const 0
              local.get t16
              i32.load [tlb.supervisor.addend]
              local.tee t3
              i32.store [slot[15].addend]
              local.get t15
              i32.wrap_i64
              local.get t16
              i32.load [tlb.supervisor.addend]
              i32.add
            else
              i32.const 0
              local.get t15
              i64.store [engine.missAddress]
              i32.const 0
              i32.const 288
              i32.store [engine.missAccess]
              local.get t13
              local.get t4
              i8x16.add
              local.tee t17
              local.get t14
              local.get t5
              i8x16.add
              local.tee t18
              local.set t7
              local.set t6
              local.get budget
              i32.const 20
              i32.sub
              local.set budget
              i32.const 132613
              local.set partial
              i64.const 65545
              local.set rip
              i32.const 5
              local.set status
              br 7
            end
          end
          local.tee t19
          local.get t13
          local.get t4
          i8x16.add
          local.tee t20
          v128.store
          local.get t19
          local.get t14
          local.get t5
          i8x16.add
          local.tee t21
          v128.store [rdx]
          i32.const 0
          v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000
          v128.store [ymmHigh[6]]
          local.get rcx
          i64.const 32
          i64.add
          local.tee t22
          i64.eqz
          i32.eqz
          local.set t23
          local.get t22
          local.get t20
          local.get t21
          local.get t8
          local.get t8
          v128.xor
          i32.const 64
          local.get rcx
          i64.const 32
          local.set flags1
          local.set flags0
          local.set flagKind
          local.set t8
          local.set t7
          local.set t6
          local.set rcx
          local.get t23
          if
            local.get budget
            i32.const 24
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
            local.get budget
            i32.const 1024
            i32.lt_s
            if
              i64.const 65536
              local.set rip
              i32.const 0
              local.set status
              br 7
            end
            br 4
          else
            local.get budget
            i32.const 24
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
          i32.const 18
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
        i32.const 12
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
    else
      local.get budget
      i32.const 6
      i32.sub
      local.set budget
      local.get trail
      i32.const 131085
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
      br 3
    end
  end
end
