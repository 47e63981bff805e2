namespace Streaming.Core.Hashing;

/// <summary>
/// XXH64 (Yann Collet, the xxHash specification): the hash of user, item and event ids, and of an item's Redis partition.
/// A published function with implementations in every language, because readers compute it too.
/// </summary>
public static class XxHash64
{
    /// <summary>Computes the hash of <paramref name="data"/>.</summary>
    /// <param name="data">Any bytes.</param>
    /// <param name="seed">0 for every id of the contract.</param>
    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed = 0) =>
        System.IO.Hashing.XxHash64.HashToUInt64(data, unchecked((long)seed));
}
