namespace Streaming.Transport;

/// <summary>What runs inside Redis. Each script touches keys of one hash tag only, so it is valid in a cluster.</summary>
internal static class PublishScripts
{
    public const int StatusDone = 0;
    public const int StatusFenced = 1;
    public const int StatusEmpty = 2;

    /// <summary>
    /// Writes the items of a partition. Refuses everything when a newer trainer has raised the fence, or when the fence
    /// is not there (then the store was emptied); skips an item that holds a greater (token, step). Bytes 13 to 22
    /// of a value are token and step, little-endian; both are below 2^53, so Lua's doubles hold them exactly. What changed
    /// becomes one entry of the stream, because an entry an item would cost the server as much as the item itself.
    /// KEYS: fence, change stream, items…  ARGV: token, feed length, generation, then per item: value ('' removes),
    /// time to live in ms (0: for ever), step, id for the feed ('' for none).
    /// Returns status, then: newest token | removed count, indices of what was skipped….
    /// </summary>
    public static readonly RedisScript Write = new("""
        local fence = redis.call('HMGET', KEYS[1], 't', 'n')
        if not fence[1] then return {2} end
        local token = tonumber(ARGV[1])
        if tonumber(fence[1]) > token then return {1, fence[1]} end
        if tonumber(fence[1]) < token then redis.call('HSET', KEYS[1], 't', ARGV[1]) end
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

    /// <summary>Raises the fence of a partition. KEYS: fence. ARGV: token. Returns status: 0 it was there, 1 and the newer
    /// token when refused, 2 when it was not there.</summary>
    public static readonly RedisScript Raise = new("""
        local newest = redis.call('HGET', KEYS[1], 't')
        if newest and tonumber(newest) > tonumber(ARGV[1]) then return {1, newest} end
        redis.call('HSET', KEYS[1], 't', ARGV[1])
        if newest then return {0} end
        return {2}
        """);
}
