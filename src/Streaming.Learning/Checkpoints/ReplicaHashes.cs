namespace Streaming.Learning.Checkpoints;

/// <summary>Hashes of the state that is the same on every rank, by tensor: ranks that have diverged differ in one of them.</summary>
/// <param name="Engine">Dense parameters, their optimiser state, and the memory bank.</param>
/// <param name="Trainer">The state outside the engine.</param>
internal sealed record ReplicaHashes(IReadOnlyDictionary<string, ulong> Engine, IReadOnlyDictionary<string, ulong> Trainer)
{
    /// <summary>The tensors in which two ranks differ, or that only one of them has.</summary>
    public IReadOnlyList<string> DifferencesTo(ReplicaHashes other) =>
        [
            .. Differences(Engine, other.Engine).Select(static name => $"engine tensor {name}"),
            .. Differences(Trainer, other.Trainer).Select(static name => $"trainer tensor {name}"),
        ];

    private static IEnumerable<string> Differences(IReadOnlyDictionary<string, ulong> own, IReadOnlyDictionary<string, ulong> other) =>
        own.Where(pair => !other.TryGetValue(pair.Key, out ulong hash) || hash != pair.Value)
            .Select(static pair => pair.Key)
            .Concat(other.Keys.Where(name => !own.ContainsKey(name)));
}
