using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>A Lua script. The client sends it in full the first time on a connection (SCRIPT LOAD) and by hash afterwards,
/// so no call fails first; a server that has lost it (restart, failover) receives it again.</summary>
internal sealed class RedisScript(string text)
{
    public Task<RedisResult> RunAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments) =>
        database.ScriptEvaluateAsync(text, keys, arguments);
}
