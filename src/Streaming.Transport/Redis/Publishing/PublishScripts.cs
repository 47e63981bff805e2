namespace Streaming.Transport;

/// <summary>What runs inside Redis. Each script touches keys of one hash tag only, so it is valid in a cluster.</summary>
internal static class PublishScripts
{
    public const int StatusDone = 0;
    public const int StatusFenced = 1;
    public const int StatusEmpty = 2;

    /// <summary>
    /// Writes the items of a partition. Each generation has a fence of its own, and all share the feed. Refuses everything when a newer trainer has raised the fence, or when the fence
    /// is not there (then the store was emptied); skips an item that holds a greater (token, step). Bytes 13 to 22
    /// of a value are token and step, little-endian; both are below 2^53, so Lua's doubles hold them exactly. What changed
    /// becomes one entry of the stream, because an entry an item would cost the server as much as the item itself.
    /// KEYS: fence, change stream, items…  ARGV: token, feed length, generation, then per item: value ('' removes),
    /// time to live in ms (0: for ever), step, id for the feed ('' for none).
    /// Returns status, then: newest token | removed count, indices of what was skipped….
    /// </summary>
    public static readonly RedisScript Write = new("""
        local field = ARGV[3] == '1' and 't' or 't' .. ARGV[3]
        local fence = redis.call('HMGET', KEYS[1], field, 'n')
        if not fence[1] then return {2} end
        local token = tonumber(ARGV[1])
        if tonumber(fence[1]) > token then return {1, fence[1]} end
        if tonumber(fence[1]) < token then redis.call('HSET', KEYS[1], field, ARGV[1]) end
        local feed = ARGV[2] ~= '0'
        local entry = {KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'n', tonumber(fence[2] or '0') + 1, 'g', ARGV[3], 't', ARGV[1]}
        local empty = #entry
        local result = {0, 0}
        for i = 3, #KEYS do
          local at = 4 + (i - 3) * 4
          local key, value, ttl, step, id = KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
          local newer = false
          local head = redis.call('GETRANGE', key, 0, 21)
          if #head == 22 and string.sub(head, 1, 3) == 'EV\1' then
            local t, low, high = struct.unpack('<I4I4I2', head, 13)
            newer = t > token or (t == token and high * 4294967296 + low > tonumber(step))
          end
          if newer then
            result[#result + 1] = i - 3
          else
            if value == '' then
              redis.call('DEL', key)
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
        if #entry > empty then
          redis.call('XADD', unpack(entry))
          redis.call('HSET', KEYS[1], 'n', entry[7])
        end
        return result
        """);

    /// <summary>
    /// Writes histories of users of a partition. Refuses as <see cref="Write"/> does; skips a user whose stored history is
    /// the same (by its checksum) or has come further: bytes 11 to 24 of a value are its age, newest time before sum of times,
    /// and a restarted trainer goes through older ones again. KEYS: fence, users…  ARGV: token, time to live in ms (0: for ever), generation, then a value for each user.
    /// Returns status, then: newest token | skipped count.
    /// </summary>
    public static readonly RedisScript WriteUsers = new("""
        local fence = redis.call('HGET', KEYS[1], ARGV[3] == '1' and 't' or 't' .. ARGV[3])
        if not fence then return {2} end
        if tonumber(fence) > tonumber(ARGV[1]) then return {1, fence} end
        local skipped = 0
        for i = 2, #KEYS do
          local value = ARGV[i + 2]
          local head = redis.call('GETRANGE', KEYS[i], 0, 23)
          local newer = head == string.sub(value, 1, 24)
          if not newer and #head == 24 and string.sub(head, 1, 3) == 'UH\1' then
            local low, high, sumLow, sumHigh = struct.unpack('<I4I2I4I4', head, 11)
            local myLow, myHigh, mySumLow, mySumHigh = struct.unpack('<I4I2I4I4', value, 11)
            local ahead = (high - myHigh) * 4294967296 + low - myLow
            if ahead == 0 then ahead = (sumHigh - mySumHigh) * 4294967296 + sumLow - mySumLow end
            newer = ahead > 0
          end
          if newer then
            skipped = skipped + 1
          elseif ARGV[2] == '0' then
            redis.call('SET', KEYS[i], value)
          else
            redis.call('SET', KEYS[i], value, 'PX', ARGV[2])
          end
        end
        return {0, skipped}
        """);

    /// <summary>Raises the fence of a partition. KEYS: fence. ARGV: token, generation. Returns status: 0 it was there, 1 and the newer
    /// token when refused, 2 when it was not there.</summary>
    public static readonly RedisScript Raise = new("""
        local field = ARGV[2] == '1' and 't' or 't' .. ARGV[2]
        local newest = redis.call('HGET', KEYS[1], field)
        if newest and tonumber(newest) > tonumber(ARGV[1]) then return {1, newest} end
        redis.call('HSET', KEYS[1], field, ARGV[1])
        if newest then return {0} end
        return {2}
        """);
}
