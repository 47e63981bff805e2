using System.Globalization;
using System.Text;
using Streaming.Core.Embeddings;
using Streaming.Core.Refreshes;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>Encodes refreshes into script calls, grouped by partition, with expiry times.</summary>
internal sealed class BatchEncoder
{
    /// <summary>Keys per call. A script blocks the whole server: at about 5 µs per key, for about 1 ms.</summary>
    private const int MaxKeysPerCall = 256;

    private readonly RedisOptions _options;
    private readonly RedisKeys _keys;
    private readonly (ItemKeySpace Space, EmbeddingFormat Format)[] _targets;
    private readonly uint _generation;
    private readonly uint _token;
    private readonly bool _facts;

    public BatchEncoder(RedisOptions options, RedisKeys keys, IReadOnlyList<int> widths, uint generation, uint token, bool facts)
    {
        _facts = facts;
        _options = options;
        _keys = keys;
        _generation = generation;
        _token = token;
        _targets =
            options.Layout == EmbeddingKeyLayout.Nested
                ? [(keys.Items(generation), new EmbeddingFormat(options.Element, widths, options.Norms))]
                :
                [
                    .. widths.Select(width =>
                        (keys.Items(generation, width), new EmbeddingFormat(options.Element, [width], options.Norms))
                    ),
                ];
        ItemsPerCall = Math.Max(1, MaxKeysPerCall / KeysPerItem);
    }

    /// <summary>Gets the keys of an item: its lists, its facts if they are published, then its vectors.</summary>
    private int KeysPerItem => (_facts ? 2 : 1) + _targets.Length;

    /// <summary>Gets the maximum number of items per call.</summary>
    public int ItemsPerCall { get; }

    /// <summary>Encodes all valid refreshes.</summary>
    /// <param name="batch">The refreshes, at most one per item.</param>
    /// <param name="pool">Source of value buffers.</param>
    /// <param name="calls">Receives the calls.</param>
    /// <param name="refused">Receives the vectors that cannot be stored.</param>
    /// <returns>How many those are.</returns>
    public int Encode(ReadOnlySpan<Refresh> batch, ValuePool pool, List<PartitionWrite> calls, RefusedVectors refused)
    {
        int[] order = new int[batch.Length];
        int[] partitions = new int[batch.Length];
        int kept = 0;
        for (int i = 0; i < batch.Length; i++)
        {
            if (FaultOf(batch[i]) is { } fault)
            {
                refused.Add(batch[i], fault.Kind, fault.Detail);
            }
            else
            {
                order[kept] = i;
                partitions[kept++] = _keys.Partition(batch[i].ItemKey);
            }
        }

        Array.Sort(partitions, order, 0, kept);
        for (int from = 0; from < kept; )
        {
            int to = from + 1;
            while (to < kept && partitions[to] == partitions[from] && to - from < ItemsPerCall)
            {
                to++;
            }

            calls.Add(EncodeCall(batch, partitions[from], order.AsSpan(from, to - from), pool));
            from = to;
        }

        return batch.Length - kept;
    }

    /// <summary>Finds what TryEncode would refuse before a call is built, so that no call has gaps.</summary>
    private (VectorFault Kind, string Detail)? FaultOf(in Refresh refresh)
    {
        if (refresh.Vector is not { } vector)
        {
            return null;
        }

        float limit = _options.Element == EmbeddingElement.Float16 ? (float)Half.MaxValue : float.MaxValue;
        foreach (float number in vector)
        {
            if (!(MathF.Abs(number) <= limit))
            {
                return (
                    float.IsFinite(number) ? VectorFault.TooLarge : VectorFault.NotFinite,
                    number.ToString("#,0.###", CultureInfo.InvariantCulture)
                );
            }
        }

        return vector.Length == _targets[^1].Format.Dimension
            ? null
            : (VectorFault.WrongLength, vector.Length.ToString(CultureInfo.InvariantCulture));
    }

    private PartitionWrite EncodeCall(ReadOnlySpan<Refresh> batch, int partition, ReadOnlySpan<int> items, ValuePool pool)
    {
        PartitionWrite call = new(_keys, partition, items.Length, KeysPerItem, _token, _generation, _options.ChangeFeedLength);
        foreach (int index in items)
        {
            ref readonly Refresh item = ref batch[index];
            EmbeddingStamp stamp = new(_generation, _token, item.Step, item.EventTime);
            long timeToLive = TimeToLive(item);
            byte[]? related = item is { Vector: not null, Related: { } lists } ? RelatedItemsValue.Encode(lists, _token, item.Step) : null;
            string mode = item.IsUpkeep ? PartitionWrite.Compare : PartitionWrite.Write;
            call.Add(
                item,
                Encoding.ASCII.GetBytes(_keys.Related(_generation, item.ItemKey)),
                related,
                timeToLive,
                item is { Vector: not null, KeepsRelated: true } ? PartitionWrite.Keep : mode,
                isPooled: false
            );
            uint check = 0;
            if (_facts)
            {
                byte[]? facts = item.Vector is null ? null : ItemFactsValue.Encode(item.Facts, _token, item.Step);
                check = facts is null ? 0 : ItemFactsValue.ChecksumIn(facts);
                call.Add(item, Encoding.ASCII.GetBytes(_keys.Facts(_generation, item.ItemKey)), facts, timeToLive, mode, isPooled: false);
            }

            foreach ((ItemKeySpace space, EmbeddingFormat format) in _targets)
            {
                byte[]? value = null;
                if (item.Vector is float[] vector)
                {
                    value = pool.Rent(format.Length);
                    EmbeddingValue.TryEncode(vector.AsSpan(0, format.Dimension), format, stamp, value);
                    check ^= EmbeddingValue.ChecksumIn(value);
                }

                call.Add(item, space.Key(partition, item.ItemId), value, timeToLive, mode, isPooled: true, check);
            }
        }

        return call;
    }

    /// <summary>Spreads expiry by a hash of item and step: as good as random, and reproducible.</summary>
    private long TimeToLive(in Refresh item)
    {
        ulong hash = (item.ItemKey ^ ((ulong)item.Step * 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
        double spread = ((hash >> 11) * (1.0 / (1UL << 52))) - 1; // −1 … 1
        return (long)(_options.TimeToLive.TotalMilliseconds * (1 + (_options.TimeToLiveJitter * spread)));
    }
}
