namespace Streaming.Transport.Redis.Publishing;

/// <summary>What runs inside Redis. Each script touches keys of one hash tag only, so it is valid in a cluster.</summary>
internal static class PublishScripts
{
    public const int StatusDone = 0;
    public const int StatusFenced = 1;
    public const int StatusEmpty = 2;
    public const int StatusLost = 3;

    /// <summary>
    /// Writes the items of a partition. Each generation has a fence of its own, and all share the feed. Refuses everything when a newer trainer has raised the fence, when the fence
    /// is not there (then the store was emptied), or when fewer writes are counted than the trainer had answers for (then a
    /// fail-over has lost some: replication is asynchronous); skips a value that holds a greater (token, step), and one whose
    /// key is of another type. Bytes 13 to 22
    /// of a value are token and step, little-endian; both are below 2^53, so Lua's doubles hold them exactly. What changed
    /// becomes one entry of the stream, because an entry an item would cost the server as much as the item itself.
    /// KEYS: fence, change stream, items…  ARGV: token, feed length, generation, writes answered so far, then per item: value
    /// ('' removes), time to live in ms (0: for ever), step, id for the feed ('' for none).
    /// Returns status, then: newest token | removed count, writes, indices of what was skipped…, −1 − index where the key is of another type….
    /// </summary>
    public static readonly RedisScript Write = new("""
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
        local result = {0, 0, writes + 1}
        for i = 3, #KEYS do
          local at = 5 + (i - 3) * 4
          local key, value, ttl, step, id = KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
          local head = redis.pcall('GETRANGE', key, 0, 21)
          local newer = false
          if type(head) == 'table' then
            if not string.find(head.err, 'WRONGTYPE', 1, true) then return head end
            result[#result + 1] = 2 - i
          else
            local kind = string.sub(head, 1, 3)
            if #head == 22 and (kind == 'EV\1' or kind == 'CL\1') then
              local t, low, high = struct.unpack('<I4I4I2', head, 13)
              newer = t > token or (t == token and high * 4294967296 + low > tonumber(step))
            end
            if newer then
              result[#result + 1] = i - 3
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
              if feed and id ~= '' then
                local at = #entry
                entry[at + 1], entry[at + 2], entry[at + 3], entry[at + 4] = 'i', id, 's', step
                if value == '' then entry[at + 5], entry[at + 6] = 'd', '1' end
              end
            end
          end
        end
        if #entry > empty then
          redis.call('XADD', unpack(entry))
          number = number + 1
        end
        redis.call('HSET', KEYS[1], 't' .. suffix, ARGV[1], 'w' .. suffix, writes + 1, 'n', number)
        return result
        """);

    /// <summary>
    /// Writes histories of users of a partition. Refuses as <see cref="Write"/> does; skips a user whose stored history is
    /// the same (by its checksum) or has come further: bytes 11 to 24 of a value are its age, newest time before sum of times,
    /// and a restarted trainer goes through older ones again. With replace it skips none, and an empty value deletes.
    /// KEYS: fence, users…  ARGV: token, time to live in ms (0: for ever), generation, replace (1 or 0), then a value for each user.
    /// Returns status, then: newest token | skipped count, indices of users whose key is of another type….
    /// </summary>
    public static readonly RedisScript WriteUsers = new("""
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
            -- a key of another type: left alone
          elseif value == '' then
            redis.call('DEL', KEYS[i])
          elseif ARGV[2] == '0' then
            redis.call('SET', KEYS[i], value)
          else
            redis.call('SET', KEYS[i], value, 'PX', ARGV[2])
          end
        end
        return {0, skipped, unpack(blocked)}
        """);

    /// <summary>Raises the fence of a partition. KEYS: fence. ARGV: token, generation, writes answered so far. Returns status: 0 it was
    /// there, 1 and the newer token when refused, 2 when it was not there, 3 when it counts fewer writes than were answered;
    /// after 0, 2 and 3 the count that holds from now on.</summary>
    public static readonly RedisScript Raise = new("""
        local suffix = ARGV[2] == '1' and '' or ARGV[2]
        local fence = redis.call('HMGET', KEYS[1], 't' .. suffix, 'w' .. suffix)
        if fence[1] and tonumber(fence[1]) > tonumber(ARGV[1]) then return {1, fence[1]} end
        redis.call('HSET', KEYS[1], 't' .. suffix, ARGV[1])
        local writes = tonumber(fence[2] or '0')
        if not fence[1] then return {2, writes} end
        if writes < tonumber(ARGV[3]) then return {3, writes} end
        return {0, writes}
        """);
}
