using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Layout;

namespace Streaming.Transport.Redis.Access;

/// <summary>Tries every command of a trainer on keys of the model made for that, so that a missing right is known before
/// anything has begun.</summary>
public static class StoreAccess
{
    /// <summary>Every call is tried, and each refusal named. All four prefixes, in one slot.</summary>
    private static readonly RedisScript Probe = new(
        """
        local e, l, u, m = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
        local refused = {}
        for _, call in ipairs({
          {'TIME'}, {'INFO', 'memory'}, {'GET', l}, {'SET', l, '1', 'PX', '1000'}, {'SET', u, '1', 'PX', '1000'},
          {'SET', m, '1', 'PX', '1000'},
          {'SET', e, '1', 'PX', '1000'}, {'SETNX', e, '1'}, {'SETRANGE', e, '0', '1'}, {'PTTL', l}, {'GETRANGE', e, '0', '21'},
          {'GETRANGE', u, '0', '23'}, {'GETRANGE', m, '0', '255'},
          {'MGET', e}, {'EXISTS', e}, {'PEXPIRE', e, '1000'}, {'EXPIRE', e, '1'}, {'DEL', e}, {'DEL', l}, {'DEL', u}, {'DEL', m},
          {'HSET', l, 'n', '0'}, {'HGET', l, 'n'}, {'HMGET', l, 'n'}, {'DEL', l}, {'XADD', e, 'MAXLEN', '~', '1', '*', 'n', '0'},
          {'DEL', e},
        }) do
          local answer = redis.pcall(unpack(call))
          if type(answer) == 'table' and answer.err then
            refused[#refused + 1] = call[1] .. ' ' .. (call[2] or '') .. ': ' .. answer.err
          end
        end
        return refused
        """
    );

    /// <summary>Checks that the user of the connection may do what a trainer does, and that the model in the store has the
    /// partitions of the options.</summary>
    /// <exception cref="KeyLayoutException">It has others.</exception>
    /// <exception cref="StoreRefusedException">It may not: names the commands and keys, and what to set.</exception>
    /// <exception cref="RedisException">Redis could not be asked.</exception>
    public static async Task CheckAsync(
        IDatabase database,
        RedisOptions options,
        TimeProvider time,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        RedisKey[] keys = [.. "elum".Select(prefix => (RedisKey)$"{prefix}:{options.Model}:{{lease}}:probe")];
        string[] refused;
        try
        {
            refused = (string[])
                (await Probe.RunAsync(database, keys, []).WaitAsync(options.CommandTimeout, cancellationToken).ConfigureAwait(false))!;
        }
        catch (RedisServerException error) when (RedisPipeline.IsDenied(error))
        {
            throw Refused(options, $"EVALSHA on {string.Join(", ", keys)}: {error.Message}", error);
        }

        // Out of memory, read-only for now: such answers pass.
        string[] denied =
        [
            .. refused.Where(static answer => !RedisPipeline.Passes(answer[(answer.IndexOf(": ", StringComparison.Ordinal) + 2)..])),
        ];
        if (denied.Length > 0)
        {
            throw Refused(
                options,
                string.Join("; ", denied.Take(5)) + (denied.Length > 5 ? $"; and {denied.Length - 5} more" : string.Empty),
                null
            );
        }

        await CheckRecordsAsync(database, options, time, cancellationToken).ConfigureAwait(false);
    }

    private static async Task CheckRecordsAsync(
        IDatabase database,
        RedisOptions options,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        RedisKeys names = new(options.Model, 1);
        string asked = names.LayoutRecord;
        try
        {
            await new StoreKeys(database, options, RedisPipeline.Create(options, time))
                .GetAsync(write: false, cancellationToken)
                .ConfigureAwait(false);
            asked = names.Active;
            _ = await database.StringGetAsync(asked).WaitAsync(options.CommandTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (RedisPipeline.IsDenied(error))
        {
            throw Refused(options, $"{asked}: {error.Message}", error);
        }
        catch (Exception error) when (error is FormatException || RedisPipeline.IsWrongType(error))
        {
            throw WrongType(asked, error);
        }
    }

    internal static StoreRefusedException WrongType(string key, Exception error) =>
        new(
            $"Redis key '{key}' is not what a trainer writes there: {error.Message.TrimEnd('.')}. Delete the key, or give the model "
                + "another STREAMING__Redis__Model.",
            error
        );

    internal static StoreRefusedException Refused(RedisOptions options, string reply, Exception? inner) =>
        new(
            $"Redis refuses what the trainer of model '{options.Model}' needs: {reply.TrimEnd('.')}. The user in "
                + "STREAMING__Redis__Configuration needs the rights that schemas/embedding-value.md lists.",
            inner
        );
}
