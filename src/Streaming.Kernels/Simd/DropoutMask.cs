using System.Runtime.CompilerServices;
using Streaming.Kernels.Hashing;

namespace Streaming.Kernels.Simd;

/// <summary>The kept elements of one dropout layer in one step.</summary>
/// <remarks>
/// Two rounds of a 32-bit integer hash (the finaliser of MurmurHash3, in the public domain) over the element's index, keyed
/// before each round. An element is kept when its hash is at or above the threshold.
/// </remarks>
internal readonly struct DropoutMask
{
    public const uint Multiplier0 = 0x85EBCA6B;
    public const uint Multiplier1 = 0xC2B2AE35;

    public readonly uint Key0;
    public readonly uint Key1;
    public readonly uint Threshold;

    public DropoutMask(float rate, in DropoutKey key)
    {
        ulong mixed = SplitMix64.Finalize(
            key.Seed + SplitMix64.Finalize((ulong)key.Step + SplitMix64.Finalize((ulong)key.Layer + SplitMix64.Golden))
        );
        Key0 = (uint)mixed;
        Key1 = (uint)(mixed >> 32);
        Threshold = (uint)Math.Min(uint.MaxValue, Math.Round(rate * 4294967296.0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Keeps(uint index) => Mix32(Mix32(index ^ Key0) + Key1) >= Threshold;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mix32(uint x)
    {
        x ^= x >> 16;
        x *= Multiplier0;
        x ^= x >> 13;
        x *= Multiplier1;
        return x ^ (x >> 16);
    }
}
