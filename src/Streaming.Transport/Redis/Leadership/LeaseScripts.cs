namespace Streaming.Transport.Redis.Leadership;

/// <summary>The lease relies on the server's clock alone (key expiry), so machines need not agree on the time.</summary>
internal static class LeaseScripts
{
    /// <summary>
    /// Acquires the lease if it is free, or held under the same owner's name (this process before a restart). The token is
    /// greater than the counter and the caller's last token, and at least the server's time in seconds, so that it grows
    /// even if the counter was lost with the store.
    /// KEYS: holder, counter. ARGV: owner, ms, floor. Returns {1, token} or {0, ms left, holder}.
    /// </summary>
    public static readonly RedisScript Acquire = new(
        """
        local held = redis.call('GET', KEYS[1])
        if held and string.match(held, '^%d+ (.*)$') ~= ARGV[1] then
          return {0, redis.call('PTTL', KEYS[1]), held}
        end
        local now = tonumber(redis.call('TIME')[1])
        local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, tonumber(ARGV[3]) + 1, now)
        local text = string.format('%.0f', token)
        redis.call('SET', KEYS[2], text)
        redis.call('SET', KEYS[1], text .. ' ' .. ARGV[1], 'PX', ARGV[2])
        return {1, text}
        """
    );

    /// <summary>
    /// Renews the lease. One that expired, or was lost with the store, is reacquired under the same token unless another
    /// process has acquired it since. A smaller token in the store belongs to a lease that this one replaced, restored by a
    /// failover because replication is asynchronous. KEYS: holder, counter. ARGV: owner, ms, token. Returns 1, or 0 if lost.
    /// </summary>
    public static readonly RedisScript Renew = new(
        """
        local token = tonumber(ARGV[3])
        local mine = ARGV[3] .. ' ' .. ARGV[1]
        local held = redis.call('GET', KEYS[1])
        if held and held ~= mine and tonumber(string.match(held, '^%d+') or '0') >= token then return 0 end
        local counter = tonumber(redis.call('GET', KEYS[2]) or '0')
        if counter > token then return 0 end
        if counter < token then redis.call('SET', KEYS[2], ARGV[3]) end
        redis.call('SET', KEYS[1], mine, 'PX', ARGV[2])
        return 1
        """
    );

    /// <summary>Releases the lease. KEYS: holder. ARGV: owner, token. Returns 1 if it was held.</summary>
    public static readonly RedisScript Release = new(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[2] .. ' ' .. ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])
        """
    );
}
