using System.Text;
using Streaming.Core.Hashing;
using Streaming.Learning.Cpu.Ranks;
using Streaming.Models.State;

namespace Streaming.Learning.Checkpoints;

/// <summary>
/// A snapshot that hashes the tensors which every rank has, as they are read: from front to back, in pieces that are the same on all
/// ranks. Does not dispose of the snapshot.
/// </summary>
/// <remarks>XXH64, chained over the pieces: against divergence, not against an attacker.</remarks>
internal sealed class HashedSnapshot(TensorSnapshot inner, Func<string, bool> isReplicated) : TensorSnapshot
{
    // A rank posts the refreshes of its own items: the only counter of its own.
    private const string Counters = "trainer.counters";
    private const int OwnCounter = 6;
    private readonly Dictionary<string, ulong> _hashes = new(StringComparer.Ordinal);
    private byte[] _masked = [];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => inner.Tensors;

    /// <summary>Whether all ranks have a tensor of the engine: not the item rows.</summary>
    public static bool IsReplicatedInEngine(string name) => name != RankTensors.Share && !RankTensors.IsByItem(name);

    /// <summary>The hash of each tensor that every rank has; once everything has been read.</summary>
    public IReadOnlyDictionary<string, ulong> Hashes()
    {
        foreach (TensorInfo tensor in Tensors.Where(tensor => isReplicated(tensor.Name)))
        {
            _hashes.TryAdd(tensor.Name, Begin(tensor)); // It is empty.
        }

        return _hashes;
    }

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        inner.Read(tensor, byteOffset, destination);
        TensorInfo info = Tensors[tensor];
        if (isReplicated(info.Name))
        {
            ulong before = _hashes.TryGetValue(info.Name, out ulong hash) ? hash : Begin(info);
            _hashes[info.Name] = XxHash64.Hash(info.Name == Counters ? Masked(destination) : destination, before);
        }
    }

    /// <inheritdoc/>
    public override void Release(int tensor, long byteCount) => inner.Release(tensor, byteCount);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }

    private static ulong Begin(TensorInfo tensor) =>
        XxHash64.Hash(Encoding.UTF8.GetBytes($"{tensor.Type} [{string.Join(", ", tensor.Shape)}]"));

    private ReadOnlySpan<byte> Masked(ReadOnlySpan<byte> counters)
    {
        _masked = counters.ToArray();
        _masked.AsSpan(OwnCounter * sizeof(long), sizeof(long)).Clear();
        return _masked;
    }
}
