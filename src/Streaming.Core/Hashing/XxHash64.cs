using System.Buffers.Binary;
using System.Numerics;

namespace Streaming.Core.Hashing;

/// <summary>
/// XXH64 (Yann Collet, the xxHash specification): the hash of user, item and event ids, and of the Redis partition of
/// an item. It is a published function with implementations in every language, because readers compute it too.
/// </summary>
public static class XxHash64
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;

    /// <summary>Computes the hash of <paramref name="data"/>.</summary>
    /// <param name="data">Any bytes.</param>
    /// <param name="seed">0 for every id of the contract.</param>
    public static ulong Hash(ReadOnlySpan<byte> data, ulong seed = 0)
    {
        ulong hash = data.Length >= 32 ? Stripes(ref data, seed, (ulong)data.Length) : seed + Prime5 + (ulong)data.Length;
        return Tail(data, hash);
    }

    private static ulong Stripes(ref ReadOnlySpan<byte> data, ulong seed, ulong length)
    {
        ulong a = seed + Prime1 + Prime2;
        ulong b = seed + Prime2;
        ulong c = seed;
        ulong d = seed - Prime1;
        do
        {
            a = Round(a, BinaryPrimitives.ReadUInt64LittleEndian(data));
            b = Round(b, BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
            c = Round(c, BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
            d = Round(d, BinaryPrimitives.ReadUInt64LittleEndian(data[24..]));
            data = data[32..];
        }
        while (data.Length >= 32);

        ulong hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        return Merge(Merge(Merge(Merge(hash, a), b), c), d) + length;
    }

    private static ulong Tail(ReadOnlySpan<byte> data, ulong hash)
    {
        for (; data.Length >= 8; data = data[8..])
        {
            hash = (BitOperations.RotateLeft(hash ^ Round(0, BinaryPrimitives.ReadUInt64LittleEndian(data)), 27) * Prime1) + Prime4;
        }

        if (data.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(data) * Prime1), 23) * Prime2) + Prime3;
            data = data[4..];
        }

        foreach (byte value in data)
        {
            hash = BitOperations.RotateLeft(hash ^ (value * Prime5), 11) * Prime1;
        }

        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Round(ulong accumulator, ulong input) => BitOperations.RotateLeft(accumulator + (input * Prime2), 31) * Prime1;

    private static ulong Merge(ulong hash, ulong value) => ((hash ^ Round(0, value)) * Prime1) + Prime4;
}
