using StackExchange.Redis;

namespace Streaming.Transport.Redis;

/// <summary>A Lua script. The client sends it in full where a server has not seen it on this connection (SCRIPT LOAD) and by its
/// hash from then on, so nothing has to fail first; a server that has lost it (restart, fail-over) is sent it again.</summary>
internal sealed class RedisScript(string text)
{
    public Task<RedisResult> RunAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments) =>
        database.ScriptEvaluateAsync(text, keys, arguments);
}
