using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Transport.Redis.Access;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>The fences of a generation's partitions, and how many writes Redis has acknowledged in each. A server with a lower
/// count has lost writes: it was promoted from a replica that had not received them.</summary>
/// <param name="keys">Names of the fences.</param>
/// <param name="generation">The generation.</param>
/// <param name="token">The trainer's token.</param>
internal sealed class PartitionFences(RedisKeys keys, uint generation, uint token)
{
    private int _empty;
    private int _lost;
    private readonly long[] _writes = new long[keys.Partitions];

    public RedisKeys Keys => keys;

    public uint Generation => generation;

    public uint Token => token;

    /// <summary>Gets how many writes of a partition were acknowledged.</summary>
    public long Writes(int partition) => Volatile.Read(ref _writes[partition]);

    /// <summary>Records an answer; answers may arrive out of order.</summary>
    public void Answered(int partition, long writes)
    {
        long known = Volatile.Read(ref _writes[partition]);
        while (known < writes)
        {
            long before = Interlocked.CompareExchange(ref _writes[partition], writes, known);
            if (before == known)
            {
                return;
            }

            known = before;
        }
    }

    /// <summary>Raises every fence.</summary>
    /// <param name="run">Runs a script on the store.</param>
    /// <exception cref="FencedException">A newer trainer has taken over.</exception>
    /// <exception cref="StoreRefusedException">A fence's key is of another type: names it.</exception>
    public Task RaiseAsync(Func<RedisScript, RedisKey[], RedisValue[], Task<RedisResult>> run) =>
        Task.WhenAll(Enumerable.Range(0, keys.Partitions).Select(partition => RaiseAsync(partition, run)));

    /// <summary>Returns the worst state found in any partition since the last call, including by attempts that failed midway.</summary>
    public StoreState Found()
    {
        bool lost = Interlocked.Exchange(ref _lost, 0) != 0;
        return Interlocked.Exchange(ref _empty, 0) != 0 ? StoreState.Empty
            : lost ? StoreState.WritesLost
            : StoreState.Kept;
    }

    private async Task RaiseAsync(int partition, Func<RedisScript, RedisKey[], RedisValue[], Task<RedisResult>> run)
    {
        string fence = keys.Fence(partition);
        RedisResult[] answer;
        try
        {
            answer = (RedisResult[])
                (await run(PublishScripts.Raise, [fence], [(long)token, (long)generation, Writes(partition)]).ConfigureAwait(false))!;
        }
        catch (RedisServerException error) when (RedisPipeline.IsWrongType(error))
        {
            throw StoreAccess.WrongType(fence, error);
        }

        switch ((int)answer[0])
        {
            case PublishScripts.StatusFenced:
                throw new FencedException(token, (uint)(long)answer[1]);
            case PublishScripts.StatusEmpty:
                Interlocked.Exchange(ref _empty, 1);
                break;
            case PublishScripts.StatusLost:
                Interlocked.Exchange(ref _lost, 1);
                break;
        }

        Volatile.Write(ref _writes[partition], (long)answer[1]);
    }
}
