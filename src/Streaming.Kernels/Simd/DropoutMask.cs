using System.Runtime.CompilerServices;

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
        ulong mixed = Mix64(key.Seed + Mix64((ulong)key.Step + Mix64((ulong)key.Layer + 0x9E3779B97F4A7C15)));
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

    // Stafford's variant 13 of the 64-bit finaliser, as in SplitMix64.
    private static ulong Mix64(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
