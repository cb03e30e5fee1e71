-- Judging risk: the severities of what was measured, under a policy.

create function review.judged_risk(policy review.policies, ids bigint[])
    returns table (
        account_id bigint, data_through date, level text, score smallint, signals text[],
        met smallint, without_top smallint, without_small smallint, fee_bearing smallint)
    language sql stable parallel safe rows 10 as $$
with given as materialized (
    select policy.risk_thresholds as thresholds, policy.window_kind, policy.active_user_min_volume_usd, policy.new_user_must_trade,
        -- [[[cog
        -- import cog
        -- from data_access.risk import judging_sql
        -- cog.outl(", ".join(judging_sql.minimums()))
        -- ]]]
        policy.min_volume_usd, policy.min_active_users, policy.min_new_users
        -- [[[end]]]
),
limits as materialized (
    select given.window_kind, given.active_user_min_volume_usd, given.new_user_must_trade,
        -- [[[cog
        -- cog.outl(",\n".join(judging_sql.limits()))
        -- ]]]
        coalesce((given.thresholds ->> 'R01.warn.5')::numeric, 0.95) as r01_warn_5,
        coalesce((given.thresholds ->> 'R01.warn.15')::numeric, 0.80) as r01_warn_15,
        coalesce((given.thresholds ->> 'R01.warn.30')::numeric, 0.70) as r01_warn_30,
        coalesce((given.thresholds ->> 'R01.warn.50')::numeric, 0.62) as r01_warn_50,
        coalesce((given.thresholds ->> 'R01.warn.100')::numeric, 0.50) as r01_warn_100,
        coalesce((given.thresholds ->> 'R01.high.5')::numeric, 0.99) as r01_high_5,
        coalesce((given.thresholds ->> 'R01.high.15')::numeric, 0.96) as r01_high_15,
        coalesce((given.thresholds ->> 'R01.high.30')::numeric, 0.91) as r01_high_30,
        coalesce((given.thresholds ->> 'R01.high.50')::numeric, 0.88) as r01_high_50,
        coalesce((given.thresholds ->> 'R01.high.100')::numeric, 0.82) as r01_high_100,
        coalesce((given.thresholds ->> 'R02.warn.10')::numeric, 0.85) as r02_warn_10,
        coalesce((given.thresholds ->> 'R02.warn.15')::numeric, 0.66) as r02_warn_15,
        coalesce((given.thresholds ->> 'R02.warn.30')::numeric, 0.52) as r02_warn_30,
        coalesce((given.thresholds ->> 'R02.warn.50')::numeric, 0.42) as r02_warn_50,
        coalesce((given.thresholds ->> 'R02.warn.100')::numeric, 0.30) as r02_warn_100,
        coalesce((given.thresholds ->> 'R02.high.10')::numeric, 0.96) as r02_high_10,
        coalesce((given.thresholds ->> 'R02.high.15')::numeric, 0.92) as r02_high_15,
        coalesce((given.thresholds ->> 'R02.high.30')::numeric, 0.83) as r02_high_30,
        coalesce((given.thresholds ->> 'R02.high.50')::numeric, 0.77) as r02_high_50,
        coalesce((given.thresholds ->> 'R02.high.100')::numeric, 0.68) as r02_high_100,
        coalesce((given.thresholds ->> 'R03.warn')::numeric, 3) as r03_warn,
        coalesce((given.thresholds ->> 'R04.warn')::numeric, 14) as r04_warn,
        coalesce((given.thresholds ->> 'R04.high')::numeric, 7) as r04_high,
        coalesce((given.thresholds ->> 'R05.warn')::numeric, 2) as r05_warn,
        coalesce((given.thresholds ->> 'R05.high')::numeric, 3) as r05_high,
        coalesce((given.thresholds ->> 'R06.warn')::numeric, 4) as r06_warn,
        coalesce((given.thresholds ->> 'R06.warn.30')::numeric, 3) as r06_warn_30,
        coalesce((given.thresholds ->> 'R06.warn.100')::numeric, 2) as r06_warn_100,
        coalesce((given.thresholds ->> 'R06.high')::numeric, 10) as r06_high,
        coalesce((given.thresholds ->> 'R06.high.30')::numeric, 6) as r06_high_30,
        coalesce((given.thresholds ->> 'R06.high.100')::numeric, 4) as r06_high_100,
        coalesce((given.thresholds ->> 'R07.warn')::numeric, 0.30) as r07_warn,
        coalesce((given.thresholds ->> 'R07.high')::numeric, 0.50) as r07_high,
        coalesce((given.thresholds ->> 'R08.warn')::numeric, 0.30) as r08_warn,
        coalesce((given.thresholds ->> 'R08.high')::numeric, 0.60) as r08_high,
        coalesce((given.thresholds ->> 'R09.warn')::numeric, 4) as r09_warn,
        coalesce((given.thresholds ->> 'R09.high')::numeric, 8) as r09_high,
        coalesce((given.thresholds ->> 'R10.warn.5')::numeric, 0.70) as r10_warn_5,
        coalesce((given.thresholds ->> 'R10.warn.30')::numeric, 0.60) as r10_warn_30,
        coalesce((given.thresholds ->> 'R10.high.5')::numeric, 0.92) as r10_high_5,
        coalesce((given.thresholds ->> 'R10.high.30')::numeric, 0.85) as r10_high_30,
        coalesce((given.thresholds ->> 'R11.warn')::numeric, 0.50) as r11_warn,
        coalesce((given.thresholds ->> 'R11.high')::numeric, 0.75) as r11_high,
        coalesce((given.thresholds ->> 'R12.warn')::numeric, 0.80) as r12_warn,
        coalesce((given.thresholds ->> 'R12.high')::numeric, 0.95) as r12_high,
        coalesce((given.thresholds ->> 'R13.warn')::numeric, 0.40) as r13_warn,
        coalesce((given.thresholds ->> 'R13.high')::numeric, 0.70) as r13_high,
        coalesce((given.thresholds ->> 'R14.warn')::numeric, 0.01) as r14_warn,
        coalesce((given.thresholds ->> 'R14.high')::numeric, 0.20) as r14_high,
        coalesce((given.thresholds ->> 'R15.warn')::numeric, 0.01) as r15_warn,
        coalesce((given.thresholds ->> 'R15.high')::numeric, 0.30) as r15_high,
        coalesce((given.thresholds ->> 'R16.warn')::numeric, 0.20) as r16_warn,
        coalesce((given.thresholds ->> 'R16.high')::numeric, 0.40) as r16_high,
        coalesce((given.thresholds ->> 'R17.warn')::numeric, 0.015) as r17_warn,
        coalesce((given.thresholds ->> 'R18.warn')::numeric, 0.25) as r18_warn,
        coalesce((given.thresholds ->> 'R18.high')::numeric, 0) as r18_high,
        coalesce((given.thresholds ->> 'R19.warn')::numeric, 0.30) as r19_warn,
        coalesce((given.thresholds ->> 'R19.high')::numeric, 0.60) as r19_high,
        coalesce((given.thresholds ->> 'R20.warn')::numeric, 0.90) as r20_warn,
        coalesce((given.thresholds ->> 'R20.high')::numeric, 0.90) as r20_high,
        coalesce((given.thresholds ->> 'R21.warn')::numeric, 0.40) as r21_warn,
        coalesce((given.thresholds ->> 'R22.warn')::numeric, 1) as r22_warn,
        coalesce((given.thresholds ->> 'R22.high')::numeric, 2) as r22_high,
        coalesce((given.thresholds ->> 'R23.warn')::numeric, 0.000001) as r23_warn,
        coalesce((given.thresholds ->> 'R23.high')::numeric, 0.05) as r23_high,
        coalesce((given.thresholds ->> 'R24.warn')::numeric, 0.20) as r24_warn,
        coalesce((given.thresholds ->> 'R24.warn.30')::numeric, 0.40) as r24_warn_30,
        coalesce((given.thresholds ->> 'R24.warn.100')::numeric, 0.50) as r24_warn_100,
        coalesce((given.thresholds ->> 'R24.high')::numeric, 0.04) as r24_high,
        coalesce((given.thresholds ->> 'R24.high.30')::numeric, 0.15) as r24_high_30,
        coalesce((given.thresholds ->> 'R24.high.100')::numeric, 0.25) as r24_high_100,
        coalesce((given.thresholds ->> 'R25.warn')::numeric, 0.10) as r25_warn,
        coalesce((given.thresholds ->> 'R25.high')::numeric, 1) as r25_high,
        coalesce((given.thresholds ->> 'R26.warn')::numeric, 0.35) as r26_warn,
        coalesce((given.thresholds ->> 'R26.high')::numeric, 0.25) as r26_high,
        coalesce((given.thresholds ->> 'R27.warn')::numeric, 0.15) as r27_warn,
        coalesce((given.thresholds ->> 'R27.high')::numeric, 0.05) as r27_high,
        coalesce((given.thresholds ->> 'R28.warn')::numeric, 0.35) as r28_warn,
        coalesce((given.thresholds ->> 'R29.warn')::numeric, 0.80) as r29_warn,
        coalesce((given.thresholds ->> 'R29.high')::numeric, 1) as r29_high,
        coalesce((given.thresholds ->> 'R30.warn')::numeric, 1) as r30_warn,
        coalesce((given.thresholds ->> 'R30.high')::numeric, 2) as r30_high,
        coalesce((given.thresholds ->> 'R31.warn')::numeric, 0.30) as r31_warn,
        coalesce((given.thresholds ->> 'R31.high')::numeric, 0.60) as r31_high,
        coalesce((given.thresholds ->> 'R32.warn')::numeric, 0.20) as r32_warn,
        coalesce((given.thresholds ->> 'R32.high')::numeric, 0.40) as r32_high,
        coalesce((given.thresholds ->> 'R33.warn')::numeric, 0.30) as r33_warn,
        coalesce((given.thresholds ->> 'R33.high')::numeric, 0.60) as r33_high,
        coalesce((given.thresholds ->> 'R34.warn')::numeric, 0.80) as r34_warn,
        coalesce((given.thresholds ->> 'R34.high')::numeric, 0.95) as r34_high,
        coalesce((given.thresholds ->> 'R35.warn')::numeric, 0.50) as r35_warn,
        coalesce((given.thresholds ->> 'R35.high')::numeric, 1) as r35_high,
        given.min_volume_usd,
        given.min_active_users,
        given.min_new_users
        -- [[[end]]]
    from given
)
select counting.account_id, counting.data_through,
    -- [[[cog
    -- cog.outl(f"{judging_sql.level()},")
    -- cog.outl(f"({judging_sql.score()})::smallint,")
    -- cog.outl(f"{judging_sql.flagged()},")
    -- ]]]
    case greatest(r01, r02, r03, r04, r05, r06, r07, r08, r09, r10, r11, r12, r13, r14, r15, r16, r17, r18, r19, r20, r21, r22, r23, r24, r25, r26, r27, r28, r29, r30, r31, r32, r33, r34, r35) when 0 then 'not_enough_data' when 1 then 'clear' when 2 then 'warn' when 3 then 'high' end,
    (case when greatest(r01, r02, r03, r04, r05, r06, r07, r08, r09, r10, r11, r12, r13, r14, r15, r16, r17, r18, r19, r20, r21, r22, r23, r24, r25, r26, r27, r28, r29, r30, r31, r32, r33, r34, r35) >= 2 then least(100, least(30, case r01 when 2 then 10 when 3 then 20 else 0 end + case when r01 >= 2 then 0 else case r02 when 2 then 10 when 3 then 20 else 0 end end + case r03 when 2 then 10 when 3 then 20 else 0 end + case r04 when 2 then 10 when 3 then 20 else 0 end + case r26 when 2 then 10 when 3 then 20 else 0 end) + least(25, case r05 when 2 then 10 when 3 then 20 else 0 end + case r06 when 2 then 10 when 3 then 20 else 0 end + case r07 when 2 then 10 when 3 then 20 else 0 end + case r08 when 2 then 10 when 3 then 20 else 0 end + case when r21 >= 2 then 3 else 0 end + case r24 when 2 then 10 when 3 then 20 else 0 end + case r28 when 2 then 10 when 3 then 20 else 0 end) + least(25, case r09 when 2 then 10 when 3 then 20 else 0 end + case r10 when 2 then 10 when 3 then 20 else 0 end + case r11 when 2 then 10 when 3 then 20 else 0 end + case r12 when 2 then 10 when 3 then 20 else 0 end + case r13 when 2 then 10 when 3 then 20 else 0 end + case r20 when 2 then 10 when 3 then 20 else 0 end + case r31 when 2 then 10 when 3 then 20 else 0 end + case r32 when 2 then 10 when 3 then 20 else 0 end) + least(30, case r14 when 2 then 10 when 3 then 20 else 0 end + case r15 when 2 then 10 when 3 then 20 else 0 end + case r16 when 2 then 10 when 3 then 20 else 0 end + case when r17 >= 2 then 3 else 0 end + case r27 when 2 then 10 when 3 then 20 else 0 end) + least(15, case r18 when 2 then 10 when 3 then 20 else 0 end + case r19 when 2 then 10 when 3 then 20 else 0 end + case r29 when 2 then 10 when 3 then 20 else 0 end + case r33 when 2 then 10 when 3 then 20 else 0 end + case r34 when 2 then 10 when 3 then 20 else 0 end) + least(40, case r22 when 2 then 10 when 3 then 20 else 0 end + case r23 when 2 then 10 when 3 then 20 else 0 end + case r25 when 2 then 10 when 3 then 20 else 0 end + case r30 when 2 then 10 when 3 then 20 else 0 end + case r35 when 2 then 10 when 3 then 20 else 0 end)) else 0 end)::smallint,
    case when greatest(r01, r02, r03, r04, r05, r06, r07, r08, r09, r10, r11, r12, r13, r14, r15, r16, r17, r18, r19, r20, r21, r22, r23, r24, r25, r26, r27, r28, r29, r30, r31, r32, r33, r34, r35) >= 2 then array_remove(array[case when r01 = 3 then 'R01' end, case when r02 = 3 then 'R02' end, case when r03 = 3 then 'R03' end, case when r04 = 3 then 'R04' end, case when r05 = 3 then 'R05' end, case when r06 = 3 then 'R06' end, case when r07 = 3 then 'R07' end, case when r08 = 3 then 'R08' end, case when r09 = 3 then 'R09' end, case when r10 = 3 then 'R10' end, case when r11 = 3 then 'R11' end, case when r12 = 3 then 'R12' end, case when r13 = 3 then 'R13' end, case when r14 = 3 then 'R14' end, case when r15 = 3 then 'R15' end, case when r16 = 3 then 'R16' end, case when r17 = 3 then 'R17' end, case when r18 = 3 then 'R18' end, case when r19 = 3 then 'R19' end, case when r20 = 3 then 'R20' end, case when r21 = 3 then 'R21' end, case when r22 = 3 then 'R22' end, case when r23 = 3 then 'R23' end, case when r24 = 3 then 'R24' end, case when r25 = 3 then 'R25' end, case when r26 = 3 then 'R26' end, case when r27 = 3 then 'R27' end, case when r28 = 3 then 'R28' end, case when r29 = 3 then 'R29' end, case when r30 = 3 then 'R30' end, case when r31 = 3 then 'R31' end, case when r32 = 3 then 'R32' end, case when r33 = 3 then 'R33' end, case when r34 = 3 then 'R34' end, case when r35 = 3 then 'R35' end, case when r01 = 2 then 'R01' end, case when r02 = 2 then 'R02' end, case when r03 = 2 then 'R03' end, case when r04 = 2 then 'R04' end, case when r05 = 2 then 'R05' end, case when r06 = 2 then 'R06' end, case when r07 = 2 then 'R07' end, case when r08 = 2 then 'R08' end, case when r09 = 2 then 'R09' end, case when r10 = 2 then 'R10' end, case when r11 = 2 then 'R11' end, case when r12 = 2 then 'R12' end, case when r13 = 2 then 'R13' end, case when r14 = 2 then 'R14' end, case when r15 = 2 then 'R15' end, case when r16 = 2 then 'R16' end, case when r17 = 2 then 'R17' end, case when r18 = 2 then 'R18' end, case when r19 = 2 then 'R19' end, case when r20 = 2 then 'R20' end, case when r21 = 2 then 'R21' end, case when r22 = 2 then 'R22' end, case when r23 = 2 then 'R23' end, case when r24 = 2 then 'R24' end, case when r25 = 2 then 'R25' end, case when r26 = 2 then 'R26' end, case when r27 = 2 then 'R27' end, case when r28 = 2 then 'R28' end, case when r29 = 2 then 'R29' end, case when r30 = 2 then 'R30' end, case when r31 = 2 then 'R31' end, case when r32 = 2 then 'R32' end, case when r33 = 2 then 'R33' end, case when r34 = 2 then 'R34' end, case when r35 = 2 then 'R35' end], null) else '{}' end,
    -- [[[end]]]
    counting.met::smallint, counting.without_top::smallint, counting.without_small::smallint, counting.fee_bearing::smallint
from (
    select alone.account_id, alone.data_through, alone.met, alone.without_top, alone.without_small, alone.fee_bearing,
        -- [[[cog
        -- cog.outl(",\n".join(judging_sql.counting()))
        -- ]]]
        case when alone.r01 >= 2 and 'R01' = any(dismissed) then 1 else alone.r01 end as r01,
        case when alone.r02 >= 2 and 'R02' = any(dismissed) then 1 else alone.r02 end as r02,
        case when alone.r03 >= 2 and 'R03' = any(dismissed) then 1 else alone.r03 end as r03,
        case when alone.r04 >= 2 and 'R04' = any(dismissed) then 1 else alone.r04 end as r04,
        case when alone.r05 >= 2 and 'R05' = any(dismissed) then 1 else alone.r05 end as r05,
        case when alone.r06 >= 2 and 'R06' = any(dismissed) then 1 else alone.r06 end as r06,
        case when alone.r07 >= 2 and 'R07' = any(dismissed) then 1 else alone.r07 end as r07,
        case when alone.r08 >= 2 and 'R08' = any(dismissed) then 1 else alone.r08 end as r08,
        case when alone.r09 >= 2 and 'R09' = any(dismissed) then 1 else alone.r09 end as r09,
        case when alone.r10 >= 2 and 'R10' = any(dismissed) then 1 else alone.r10 end as r10,
        case when alone.r11 >= 2 and 'R11' = any(dismissed) then 1 else alone.r11 end as r11,
        case when alone.r12 >= 2 and 'R12' = any(dismissed) then 1 else alone.r12 end as r12,
        case when alone.r13 >= 2 and 'R13' = any(dismissed) then 1 else alone.r13 end as r13,
        case when alone.r14 >= 2 and 'R14' = any(dismissed) then 1 else alone.r14 end as r14,
        case when alone.r15 >= 2 and 'R15' = any(dismissed) then 1 else alone.r15 end as r15,
        case when alone.r16 >= 2 and 'R16' = any(dismissed) then 1 else alone.r16 end as r16,
        case when alone.r17 >= 2 and 'R17' = any(dismissed) then 1 else alone.r17 end as r17,
        case when alone.r18 >= 2 and 'R18' = any(dismissed) then 1 else alone.r18 end as r18,
        case when alone.r19 >= 2 and 'R19' = any(dismissed) then 1 else alone.r19 end as r19,
        case when alone.r20 >= 2 and 'R20' = any(dismissed) then 1 when alone.r20 = 3 and alone.r09 < 2 then 2 else alone.r20 end as r20,
        case when alone.r21 >= 2 and 'R21' = any(dismissed) then 1 else alone.r21 end as r21,
        case when alone.r22 >= 2 and 'R22' = any(dismissed) then 1 else alone.r22 end as r22,
        case when alone.r23 >= 2 and 'R23' = any(dismissed) then 1 else alone.r23 end as r23,
        case when alone.r24 >= 2 and 'R24' = any(dismissed) then 1 else alone.r24 end as r24,
        case when alone.r25 >= 2 and 'R25' = any(dismissed) then 1 else alone.r25 end as r25,
        case when alone.r26 >= 2 and 'R26' = any(dismissed) then 1 else alone.r26 end as r26,
        case when alone.r27 >= 2 and 'R27' = any(dismissed) then 1 else alone.r27 end as r27,
        case when alone.r28 >= 2 and 'R28' = any(dismissed) then 1 else alone.r28 end as r28,
        case when alone.r29 >= 2 and 'R29' = any(dismissed) then 1 else alone.r29 end as r29,
        case when alone.r30 >= 2 and 'R30' = any(dismissed) then 1 else alone.r30 end as r30,
        case when alone.r31 >= 2 and 'R31' = any(dismissed) then 1 else alone.r31 end as r31,
        case when alone.r32 >= 2 and 'R32' = any(dismissed) then 1 else alone.r32 end as r32,
        case when alone.r33 >= 2 and 'R33' = any(dismissed) then 1 else alone.r33 end as r33,
        case when alone.r34 >= 2 and 'R34' = any(dismissed) then 1 else alone.r34 end as r34,
        case when alone.r35 >= 2 and 'R35' = any(dismissed) then 1 else alone.r35 end as r35
        -- [[[end]]]
    from (
        select measure.account_id, measure.data_through, whole.met, whole.without_top, whole.without_small, whole.fee_bearing,
            (
                select array_agg(dismissal.signal) from review.standing_dismissals as dismissal
                where dismissal.account_id = measure.account_id and dismissal.until > measure.data_through
            ) as dismissed,
            -- [[[cog
            -- cog.outl(",\n".join(judging_sql.severities()))
            -- ]]]
            case when measure.r01 is null or coalesce(measure.r01_sample, 0) < 5 then 0 when measure.r01 >= case when coalesce(measure.r01_sample, 0) >= 100 then limits.r01_high_100 when coalesce(measure.r01_sample, 0) >= 50 then limits.r01_high_50 when coalesce(measure.r01_sample, 0) >= 30 then limits.r01_high_30 when coalesce(measure.r01_sample, 0) >= 15 then limits.r01_high_15 when coalesce(measure.r01_sample, 0) >= 5 then limits.r01_high_5 end then 3 when measure.r01 >= case when coalesce(measure.r01_sample, 0) >= 100 then limits.r01_warn_100 when coalesce(measure.r01_sample, 0) >= 50 then limits.r01_warn_50 when coalesce(measure.r01_sample, 0) >= 30 then limits.r01_warn_30 when coalesce(measure.r01_sample, 0) >= 15 then limits.r01_warn_15 when coalesce(measure.r01_sample, 0) >= 5 then limits.r01_warn_5 end then 2 else 1 end as r01,
            case when measure.r02 is null or coalesce(measure.r02_sample, 0) < 10 then 0 when measure.r02 >= case when coalesce(measure.r02_sample, 0) >= 100 then limits.r02_high_100 when coalesce(measure.r02_sample, 0) >= 50 then limits.r02_high_50 when coalesce(measure.r02_sample, 0) >= 30 then limits.r02_high_30 when coalesce(measure.r02_sample, 0) >= 15 then limits.r02_high_15 when coalesce(measure.r02_sample, 0) >= 10 then limits.r02_high_10 end then 3 when measure.r02 >= case when coalesce(measure.r02_sample, 0) >= 100 then limits.r02_warn_100 when coalesce(measure.r02_sample, 0) >= 50 then limits.r02_warn_50 when coalesce(measure.r02_sample, 0) >= 30 then limits.r02_warn_30 when coalesce(measure.r02_sample, 0) >= 15 then limits.r02_warn_15 when coalesce(measure.r02_sample, 0) >= 10 then limits.r02_warn_10 end then 2 else 1 end as r02,
            case when whole.lost is null or coalesce(whole.met, 0) < 3 then 0 when whole.lost >= limits.r03_warn then 2 else 1 end as r03,
            case when measure.r04 is null or coalesce(measure.r04_sample, 0) < 15 then 0 when measure.r04 <= limits.r04_high then 3 when measure.r04 <= limits.r04_warn then 2 else 1 end as r04,
            case when measure.r05 is null then 0 when measure.r05 >= limits.r05_high then 3 when measure.r05 >= limits.r05_warn then 2 else 1 end as r05,
            case when measure.r06 is null then 0 when measure.r06 >= case when coalesce(measure.r06_sample, 0) >= 100 then limits.r06_high_100 when coalesce(measure.r06_sample, 0) >= 30 then limits.r06_high_30 when coalesce(measure.r06_sample, 0) >= 0 then limits.r06_high end then 3 when measure.r06 >= case when coalesce(measure.r06_sample, 0) >= 100 then limits.r06_warn_100 when coalesce(measure.r06_sample, 0) >= 30 then limits.r06_warn_30 when coalesce(measure.r06_sample, 0) >= 0 then limits.r06_warn end then 2 else 1 end as r06,
            case when measure.r07 is null or coalesce(measure.r07_sample, 0) < 10 then 0 when measure.r07 >= limits.r07_high then 3 when measure.r07 >= limits.r07_warn then 2 else 1 end as r07,
            case when measure.r08 is null or coalesce(measure.r08_sample, 0) < 30 then 0 when measure.r08 >= limits.r08_high then 3 when measure.r08 >= limits.r08_warn then 2 else 1 end as r08,
            case when measure.r09 is null or coalesce(measure.r09_sample, 0) < 10 then 0 when measure.r09 >= limits.r09_high then 3 when measure.r09 >= limits.r09_warn then 2 else 1 end as r09,
            case when measure.r10 is null or coalesce(measure.r10_sample, 0) < 5 then 0 when measure.r10 >= case when coalesce(measure.r10_sample, 0) >= 30 then limits.r10_high_30 when coalesce(measure.r10_sample, 0) >= 5 then limits.r10_high_5 end then 3 when measure.r10 >= case when coalesce(measure.r10_sample, 0) >= 30 then limits.r10_warn_30 when coalesce(measure.r10_sample, 0) >= 5 then limits.r10_warn_5 end then 2 else 1 end as r10,
            case when measure.r11 is null or coalesce(measure.r11_sample, 0) < 10 then 0 when measure.r11 >= limits.r11_high then 3 when measure.r11 >= limits.r11_warn then 2 else 1 end as r11,
            case when measure.r12 is null or coalesce(measure.r12_sample, 0) < 20 then 0 when measure.r12 >= limits.r12_high then 3 when measure.r12 >= limits.r12_warn then 2 else 1 end as r12,
            case when measure.r13 is null or coalesce(measure.r13_sample, 0) < 10 then 0 when measure.r13 >= limits.r13_high then 3 when measure.r13 >= limits.r13_warn then 2 else 1 end as r13,
            case when measure.r14 is null or coalesce(measure.r14_sample, 0) < 5 then 0 when measure.r14 >= limits.r14_high then 3 when measure.r14 >= limits.r14_warn then 2 else 1 end as r14,
            case when measure.r15 is null or coalesce(measure.r15_sample, 0) < 3 then 0 when measure.r15 >= limits.r15_high then 3 when measure.r15 >= limits.r15_warn then 2 else 1 end as r15,
            case when measure.r16 is null or coalesce(measure.r16_sample, 0) < 50 then 0 when measure.r16 >= limits.r16_high then 3 when measure.r16 >= limits.r16_warn then 2 else 1 end as r16,
            case when measure.r17 is null or coalesce(measure.r17_sample, 0) < 2000 then 0 when measure.r17 >= limits.r17_warn then 2 else 1 end as r17,
            case when measure.r18 is null then 0 when measure.r18 <= limits.r18_high then 3 when measure.r18 <= limits.r18_warn then 2 else 1 end as r18,
            case when measure.r19 is null then 0 when measure.r19 >= limits.r19_high then 3 when measure.r19 >= limits.r19_warn then 2 else 1 end as r19,
            case when measure.r20 is null or coalesce(measure.r20_sample, 0) < 10 then 0 when measure.r20 >= limits.r20_high then 3 when measure.r20 >= limits.r20_warn then 2 else 1 end as r20,
            case when measure.r21 is null or coalesce(measure.r21_sample, 0) < 10 then 0 when measure.r21 >= limits.r21_warn then 2 else 1 end as r21,
            case when measure.r22 is null then 0 when measure.r22 >= limits.r22_high then 3 when measure.r22 >= limits.r22_warn then 2 else 1 end as r22,
            case when measure.r23 is null then 0 when measure.r23 >= limits.r23_high then 3 when measure.r23 >= limits.r23_warn then 2 else 1 end as r23,
            case when measure.r24 is null then 0 when measure.r24 <= case when coalesce(measure.r24_sample, 0) >= 100 then limits.r24_high_100 when coalesce(measure.r24_sample, 0) >= 30 then limits.r24_high_30 when coalesce(measure.r24_sample, 0) >= 0 then limits.r24_high end then 3 when measure.r24 <= case when coalesce(measure.r24_sample, 0) >= 100 then limits.r24_warn_100 when coalesce(measure.r24_sample, 0) >= 30 then limits.r24_warn_30 when coalesce(measure.r24_sample, 0) >= 0 then limits.r24_warn end then 2 else 1 end as r24,
            case when measure.r25 is null then 0 when measure.r25 >= limits.r25_high then 3 when measure.r25 >= limits.r25_warn then 2 else 1 end as r25,
            case when measure.r26 is null or coalesce(measure.r26_sample, 0) < 15 then 0 when measure.r26 <= limits.r26_high then 3 when measure.r26 <= limits.r26_warn then 2 else 1 end as r26,
            case when measure.r27 is null or coalesce(measure.r27_sample, 0) < 50 then 0 when measure.r27 <= limits.r27_high then 3 when measure.r27 <= limits.r27_warn then 2 else 1 end as r27,
            case when measure.r28 is null or coalesce(measure.r28_sample, 0) < 7 then 0 when measure.r28 <= limits.r28_warn then 2 else 1 end as r28,
            case when measure.r29 is null then 0 when measure.r29 >= limits.r29_high then 3 when measure.r29 >= limits.r29_warn then 2 else 1 end as r29,
            case when measure.r30 is null then 0 when measure.r30 >= limits.r30_high then 3 when measure.r30 >= limits.r30_warn then 2 else 1 end as r30,
            case when measure.r31 is null or coalesce(measure.r31_sample, 0) < 10 then 0 when measure.r31 >= limits.r31_high then 3 when measure.r31 >= limits.r31_warn then 2 else 1 end as r31,
            case when measure.r32 is null or coalesce(measure.r32_sample, 0) < 10 then 0 when measure.r32 >= limits.r32_high then 3 when measure.r32 >= limits.r32_warn then 2 else 1 end as r32,
            case when measure.r33 is null then 0 when measure.r33 >= limits.r33_high then 3 when measure.r33 >= limits.r33_warn then 2 else 1 end as r33,
            case when measure.r34 is null or coalesce(measure.r34_sample, 0) < 10 then 0 when measure.r34 >= limits.r34_high then 3 when measure.r34 >= limits.r34_warn then 2 else 1 end as r34,
            case when measure.r35 is null then 0 when measure.r35 >= limits.r35_high then 3 when measure.r35 >= limits.r35_warn then 2 else 1 end as r35
            -- [[[end]]]
        from limits
        cross join review.risk_measures as measure
        join review.policies as measured on measured.version = measure.policy_version
        left join review.affiliate_window as affiliate on affiliate.affiliate_account_id = measure.account_id
        left join lateral (
            select
                -- [[[cog
                -- cog.outl(",\n".join(judging_sql.counts()))
                -- ]]]
                met_volume_usd::integer + met_active_users::integer + met_new_users::integer as met,
                without_top_volume_usd_met::integer + without_top_active_users_met::integer + without_top_new_users_met::integer as without_top,
                without_small_volume_usd_met::integer + without_small_active_users_met::integer + without_small_new_users_met::integer as without_small,
                fee_bearing_volume_usd_met::integer + fee_bearing_active_users_met::integer + fee_bearing_new_users_met::integer as fee_bearing,
                greatest((met_volume_usd and not without_top_volume_usd_met)::integer + (met_active_users and not without_top_active_users_met)::integer + (met_new_users and not without_top_new_users_met)::integer, (met_volume_usd and not without_small_volume_usd_met)::integer + (met_active_users and not without_small_active_users_met)::integer + (met_new_users and not without_small_new_users_met)::integer, (met_volume_usd and not fee_bearing_volume_usd_met)::integer + (met_active_users and not fee_bearing_active_users_met)::integer + (met_new_users and not fee_bearing_new_users_met)::integer) as lost
                -- [[[end]]]
            from (
                select
                    -- [[[cog
                    -- cog.outl(",\n".join(judging_sql.met()))
                    -- ]]]
                    coalesce(affiliate.volume_usd, 0) >= limits.min_volume_usd as met_volume_usd,
                    coalesce(affiliate.active_users, 0) >= limits.min_active_users as met_active_users,
                    coalesce(affiliate.new_users, 0) >= limits.min_new_users as met_new_users,
                    measure.without_top_volume_usd >= limits.min_volume_usd as without_top_volume_usd_met,
                    measure.without_top_active_users >= limits.min_active_users as without_top_active_users_met,
                    measure.without_top_new_users >= limits.min_new_users as without_top_new_users_met,
                    measure.without_small_volume_usd >= limits.min_volume_usd as without_small_volume_usd_met,
                    measure.without_small_active_users >= limits.min_active_users as without_small_active_users_met,
                    measure.without_small_new_users >= limits.min_new_users as without_small_new_users_met,
                    measure.fee_bearing_volume_usd >= limits.min_volume_usd as fee_bearing_volume_usd_met,
                    measure.fee_bearing_active_users >= limits.min_active_users as fee_bearing_active_users_met,
                    measure.fee_bearing_new_users >= limits.min_new_users as fee_bearing_new_users_met
                    -- [[[end]]]
                offset 0
            ) as truth
            offset 0
        -- Over another month, or by other rules, these figures say nothing; nor does one of three parts that is unknown.
        ) as whole on measured.window_kind = limits.window_kind
            and measured.active_user_min_volume_usd = limits.active_user_min_volume_usd
            and measured.new_user_must_trade = limits.new_user_must_trade
            and whole.without_top + whole.without_small + whole.fee_bearing is not null
        where measure.account_id = any(judged_risk.ids)
        offset 0
    ) as alone
    offset 0
) as counting
$$;
comment on function review.judged_risk(review.policies, bigint[]) is 'The risk of these accounts under a policy: level, score, flagged signals with high ones first, and how many on-exchange criteria are met, by all activity and by each part; accounts that were not measured are left out';
