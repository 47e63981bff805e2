using System.Buffers;
using System.Numerics.Tensors;
using StackExchange.Redis;
using Streaming.Core.Embeddings;
using Streaming.Kernels.Packed;
using Streaming.Serving.Lookups;

namespace Streaming.Serving.Search;

/// <summary>The result of one read of the store, to be applied to a table. Its buffers return to their pools when it has been
/// applied.</summary>
internal sealed class ItemBatch
{
    private readonly string[] _ids;
    private readonly int _width;
    private readonly float[] _vectors;
    private readonly ItemRead[] _items;
    private RedisValue[] _facts = [];

    private ItemBatch(string[] ids, int width)
    {
        (_ids, _width) = (ids, width);
        _vectors = ArrayPool<float>.Shared.Rent(ids.Length * width);
        _items = ArrayPool<ItemRead>.Shared.Rent(ids.Length);
    }

    /// <summary>Gets the widest element among the values; null when none was found.</summary>
    public RowElement? Widest { get; private set; }

    /// <summary>Reads items.</summary>
    /// <param name="reader">The store.</param>
    /// <param name="ids">The items.</param>
    /// <param name="width">Numbers of each vector.</param>
    /// <param name="withFacts">Whether the items have facts.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public static async Task<ItemBatch> ReadAsync(
        EmbeddingReader reader,
        string[] ids,
        int width,
        bool withFacts,
        CancellationToken cancellationToken
    )
    {
        var batch = new ItemBatch(ids, width);
        Task vectors = reader.ReadAsync(
            ids,
            width,
            batch._vectors.AsMemory(0, ids.Length * width),
            batch._items.AsMemory(0, ids.Length),
            cancellationToken
        );
        if (withFacts)
        {
            Task<RedisValue[]> facts = reader.ReadFactsAsync(ids, cancellationToken);
            await Task.WhenAll(vectors, facts).ConfigureAwait(false);
            batch._facts = await facts.ConfigureAwait(false);
        }

        await vectors.ConfigureAwait(false);
        for (int i = 0; i < ids.Length; i++)
        {
            batch.Check(i);
        }

        return batch;
    }

    /// <summary>Applies the items to a table: writes those found, removes those missing. Call once.</summary>
    /// <param name="table">The table.</param>
    /// <param name="refused">Counts rejected values by reason.</param>
    /// <param name="checks">What the change feed told of items; null: nothing.</param>
    /// <returns>The number of items found.</returns>
    public int Apply(VectorTable table, long[] refused, IReadOnlyDictionary<string, uint>? checks = null)
    {
        int found = 0;
        for (int i = 0; i < _ids.Length; i++)
        {
            switch (_items[i].Status)
            {
                case ItemStatus.Found:
                    Set(i, table, refused, checks);
                    found++;
                    break;
                case ItemStatus.Missing:
                    table.Remove(_ids[i]);
                    break;
                default:
                    refused[(int)_items[i].Fault]++;
                    break;
            }
        }

        ArrayPool<float>.Shared.Return(_vectors);
        ArrayPool<ItemRead>.Shared.Return(_items);
        return found;
    }

    /// <summary>An item whose facts cannot be read is still there, without attributes.</summary>
    private void Set(int i, VectorTable table, long[] refused, IReadOnlyDictionary<string, uint>? checks)
    {
        byte[]? facts = i < _facts.Length ? (byte[]?)_facts[i] : null;
        uint? check = checks is not null && checks.TryGetValue(_ids[i], out uint told) ? told : null;
        EmbeddingFault fault = table.Set(_ids[i], _vectors.AsSpan(i * _width, _width), _items[i].Stamp, facts, check);
        if (fault != EmbeddingFault.None)
        {
            refused[(int)fault]++;
        }
    }

    /// <summary>A valid checksum does not make infinity a number to rank by.</summary>
    private void Check(int i)
    {
        ref ItemRead item = ref _items[i];
        if (item.Status == ItemStatus.Found)
        {
            if (!float.IsFinite(TensorPrimitives.MaxMagnitude(_vectors.AsSpan(i * _width, _width))))
            {
                item = new ItemRead(ItemStatus.Refused, EmbeddingFault.Corrupt, item.Stamp);
                return;
            }

            RowElement element = item.Element switch
            {
                EmbeddingElement.Float32 => RowElement.Float32,
                EmbeddingElement.Float16 => RowElement.Float16,
                _ => RowElement.Int8,
            };
            Widest = Widest is { } widest && widest < element ? widest : element; // the enum is ordered from the widest
        }
    }
}
