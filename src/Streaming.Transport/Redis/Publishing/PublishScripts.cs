namespace Streaming.Transport.Redis.Publishing;

/// <summary>The scripts that run inside Redis. Each touches keys of one hash tag only, so it is valid in a cluster.</summary>
internal static class PublishScripts
{
    public const int StatusDone = 0;
    public const int StatusFenced = 1;
    public const int StatusEmpty = 2;
    public const int StatusLost = 3;

    /// <summary>
    /// Writes items of a partition. Each generation has its own fence; all share the change stream. Refuses the whole call if a newer
    /// trainer has raised the fence, if the fence is missing (the store was emptied), or if fewer writes are counted than the trainer has
    /// acknowledgements for (a failover has lost some: replication is asynchronous). Skips values that hold a greater (token, step), and
    /// keys of the wrong type. Bytes 13 to 22 of a value are token and step, little-endian; both are below 2^53, so Lua's doubles hold
    /// them exactly. All changes of a call form one stream entry, because an entry per item would cost the server as much as the item.
    /// A key that is compared and holds the same content gets only the new stamp (bytes 13 to 36 of a vector, 9 to 22 of lists and facts:
    /// time, checksum and what the checksum covers) and a new expiry; an item of which facts and vector are the same is not announced.
    /// KEYS: fence, change stream, items…  ARGV: token, feed length, generation, writes acknowledged so far, then per key: value
    /// ('' removes), time to live in ms (0: no expiry), step, id for the feed ('' for none), mode: w writes, c compares first, k keeps
    /// what there is and extends its expiry; check for the feed.
    /// Returns status, then: newest token | removed count, writes, unchanged count, indices of skipped keys…, −1 − index for keys of the
    /// wrong type….
    /// </summary>
    public static readonly RedisScript Write = new(
        """
        local suffix = ARGV[3] == '1' and '' or ARGV[3]
        local fence = redis.call('HMGET', KEYS[1], 't' .. suffix, 'n', 'w' .. suffix)
        if not fence[1] then return {2} end
        local token = tonumber(ARGV[1])
        if tonumber(fence[1]) > token then return {1, fence[1]} end
        local writes = tonumber(fence[3] or '0')
        if writes < tonumber(ARGV[4]) then return {3} end
        local feed = ARGV[2] ~= '0'
        local number = tonumber(fence[2] or '0')
        local entry = {KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'n', number + 1, 'g', ARGV[3], 't', ARGV[1]}
        local empty = #entry
        local result = {0, 0, writes + 1, 0}
        local sub, extended, ttls = string.sub, {}, {}
        local facts = false -- Whether the facts of the item were written.
        for i = 3, #KEYS do
          local at = 5 + (i - 3) * 6
          local key, value, ttl, step, id, mode = KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
          local head = redis.pcall('GETRANGE', key, 0, mode == 'c' and -1 or 21)
          local newer, announced = false, false
          if type(head) == 'table' then
            if not string.find(head.err, 'WRONGTYPE', 1, true) then return head end
            result[#result + 1] = 2 - i
          else
            local kind = sub(head, 1, 3)
            local small = kind == 'CL\1' or kind == 'AT\1' or kind == 'AT\2'
            if mode ~= 'k' and #head >= 22 and (kind == 'EV\1' or small) then
              local t, low, high = struct.unpack('<I4I4I2', head, 13)
              newer = t > token or (t == token and high * 4294967296 + low > tonumber(step))
            end
            if newer then
              result[#result + 1] = i - 3
            elseif mode == 'k' then
              if kind == 'CL\1' then extended[#extended + 1], ttls[#ttls + 1] = key, ttl end
            elseif mode == 'c' and value ~= '' and #head == #value and (
              kind == 'EV\1' and sub(head, 1, 12) == sub(value, 1, 12) and sub(head, 29, 32) == sub(value, 29, 32)
                and sub(head, 37) == sub(value, 37)
              or small and sub(head, 1, 8) == sub(value, 1, 8) and sub(head, 25) == sub(value, 25))
            then
              if kind == 'EV\1' then
                redis.call('SETRANGE', key, 12, sub(value, 13, 36))
              else
                redis.call('SETRANGE', key, 8, sub(value, 9, 22))
              end
              extended[#extended + 1], ttls[#ttls + 1] = key, ttl
              announced = facts
              if id ~= '' and not facts then result[4] = result[4] + 1 end
            else
              if value == '' then
                -- After a DEL a full server would take every SET of the script.
                if head ~= '' then redis.call('DEL', key) end
                if id ~= '' then result[2] = result[2] + 1 end
              elseif ttl == '0' then
                redis.call('SET', key, value)
              else
                redis.call('SET', key, value, 'PX', ttl)
              end
              announced = true
              facts = facts or sub(value, 1, 2) == 'AT'
            end
            if announced and feed and id ~= '' then
              local last = #entry
              entry[last + 1], entry[last + 2], entry[last + 3], entry[last + 4] = 'i', id, 's', step
              if value == '' then
                entry[last + 5], entry[last + 6] = 'd', '1'
              else
                entry[last + 5], entry[last + 6] = 'c', ARGV[at + 5]
              end
            end
          end
          if id ~= '' then facts = false end
        end
        -- At the end: after an EXPIRE, as after a DEL, a full server would take every SET of the script.
        for i = 1, #extended do
          if ttls[i] ~= '0' then redis.call('PEXPIRE', extended[i], ttls[i]) end
        end
        if #entry > empty then
          redis.call('XADD', unpack(entry))
          number = number + 1
        end
        redis.call('HSET', KEYS[1], 't' .. suffix, ARGV[1], 'w' .. suffix, writes + 1, 'n', number)
        return result
        """
    );

    /// <summary>
    /// Writes user histories of a partition. Refuses calls like <see cref="Write"/>; skips a user whose stored history is
    /// equal (by checksum) or further along: bytes 11 to 24 of a value are its age, newest time before sum of times,
    /// and a restarted trainer replays older ones. With replace it skips none, and an empty value deletes.
    /// KEYS: fence, users…  ARGV: token, time to live in ms (0: no expiry), generation, replace (1 or 0), then one value per user.
    /// Returns status, then: newest token | skipped count, indices of users whose key has the wrong type….
    /// </summary>
    public static readonly RedisScript WriteUsers = new(
        """
        local fence = redis.call('HGET', KEYS[1], ARGV[3] == '1' and 't' or 't' .. ARGV[3])
        if not fence then return {2} end
        if tonumber(fence) > tonumber(ARGV[1]) then return {1, fence} end
        local skipped, blocked = 0, {}
        for i = 2, #KEYS do
          local value = ARGV[i + 3]
          local head = redis.pcall('GETRANGE', KEYS[i], 0, 23)
          if type(head) == 'table' then
            if not string.find(head.err, 'WRONGTYPE', 1, true) then return head end
            blocked[#blocked + 1] = i - 2
            head = false
          end
          local newer = head == string.sub(value, 1, 24)
          if ARGV[4] == '1' then
            newer = false
          elseif head and not newer and #head == 24 and string.sub(head, 1, 3) == 'UH\1' then
            local low, high, sumLow, sumHigh = struct.unpack('<I4I2I4I4', head, 11)
            local myLow, myHigh, mySumLow, mySumHigh = struct.unpack('<I4I2I4I4', value, 11)
            local ahead = (high - myHigh) * 4294967296 + low - myLow
            if ahead == 0 then ahead = (sumHigh - mySumHigh) * 4294967296 + sumLow - mySumLow end
            newer = ahead > 0
          end
          if newer then
            skipped = skipped + 1
          elseif not head then
            -- a key of the wrong type: skipped
          elseif value == '' then
            redis.call('DEL', KEYS[i])
          elseif ARGV[2] == '0' then
            redis.call('SET', KEYS[i], value)
          else
            redis.call('SET', KEYS[i], value, 'PX', ARGV[2])
          end
        end
        return {0, skipped, unpack(blocked)}
        """
    );

    /// <summary>Raises the fence of a partition. KEYS: fence. ARGV: token, generation, writes acknowledged so far. Returns status: 0 it
    /// existed, 1 and the newer token if refused, 2 it was missing, 3 it counts fewer writes than were acknowledged;
    /// after 0, 2 and 3 the count that is valid from now on.</summary>
    public static readonly RedisScript Raise = new(
        """
        local suffix = ARGV[2] == '1' and '' or ARGV[2]
        local fence = redis.call('HMGET', KEYS[1], 't' .. suffix, 'w' .. suffix)
        if fence[1] and tonumber(fence[1]) > tonumber(ARGV[1]) then return {1, fence[1]} end
        redis.call('HSET', KEYS[1], 't' .. suffix, ARGV[1])
        local writes = tonumber(fence[2] or '0')
        if not fence[1] then return {2, writes} end
        if writes < tonumber(ARGV[3]) then return {3, writes} end
        return {0, writes}
        """
    );
}
