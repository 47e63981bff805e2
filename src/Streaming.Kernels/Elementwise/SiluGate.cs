using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streaming.Kernels.Parallel;
using Streaming.Kernels.Simd;
using Streaming.Kernels.Softmax;

namespace Streaming.Kernels.Elementwise;

/// <summary>The gate of the feed-forward layers: y = SiLU(g) ⊙ v, with SiLU(g) = g / (1 + e^−g).</summary>
public static class SiluGate
{
    /// <summary>y = SiLU(gate) ⊙ value.</summary>
    /// <param name="gate">g.</param>
    /// <param name="value">v, same length.</param>
    /// <param name="output">Out: y, same length. May be either input.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void Forward(ReadOnlySpan<float> gate, ReadOnlySpan<float> value, Span<float> output, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length, nameof(value));
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, gate.Length, nameof(output));
        ForwardOperation operation = new()
        {
            Gate = ref MemoryMarshal.GetReference(gate),
            Value = ref MemoryMarshal.GetReference(value),
            Output = ref MemoryMarshal.GetReference(output),
            Length = gate.Length,
        };
        ElementwiseLoop<ForwardOperation>.Run(ref operation, workers);
    }

    /// <summary>Gradients with respect to gate and value.</summary>
    /// <param name="outputGradients">∂L/∂y.</param>
    /// <param name="gate">g.</param>
    /// <param name="value">v.</param>
    /// <param name="gateGradients">Out: ∂L/∂g, overwritten. May be any input.</param>
    /// <param name="valueGradients">Out: ∂L/∂v, overwritten. May be any input.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread.</param>
    public static void Backward(
        ReadOnlySpan<float> outputGradients,
        ReadOnlySpan<float> gate,
        ReadOnlySpan<float> value,
        Span<float> gateGradients,
        Span<float> valueGradients,
        Workers? workers = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length, nameof(value));
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputGradients.Length, gate.Length, nameof(outputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(gateGradients.Length, gate.Length, nameof(gateGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(valueGradients.Length, gate.Length, nameof(valueGradients));
        BackwardOperation operation = new()
        {
            OutputGradients = ref MemoryMarshal.GetReference(outputGradients),
            Gate = ref MemoryMarshal.GetReference(gate),
            Value = ref MemoryMarshal.GetReference(value),
            GateGradients = ref MemoryMarshal.GetReference(gateGradients),
            ValueGradients = ref MemoryMarshal.GetReference(valueGradients),
            Length = gate.Length,
        };
        ElementwiseLoop<BackwardOperation>.Run(ref operation, workers);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Sigmoid<T>(T x)
        where T : struct, ISimd<T> => T.Create(1f) / (T.Create(1f) + T.Exp2(x * T.Create(-SoftmaxJob.Log2E)));

    private ref struct ForwardOperation : IElementwise<ForwardOperation>
    {
        public ref readonly float Gate;
        public ref readonly float Value;
        public ref float Output;

        public int Length { get; init; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Apply<T>(nint at)
            where T : struct, ISimd<T>
        {
            T gate = T.Load(in Gate, at);
            (gate * Sigmoid(gate) * T.Load(in Value, at)).Store(ref Output, at);
        }
    }

    private ref struct BackwardOperation : IElementwise<BackwardOperation>
    {
        public ref readonly float OutputGradients;
        public ref readonly float Gate;
        public ref readonly float Value;
        public ref float GateGradients;
        public ref float ValueGradients;

        public int Length { get; init; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Apply<T>(nint at)
            where T : struct, ISimd<T>
        {
            T gate = T.Load(in Gate, at),
                dy = T.Load(in OutputGradients, at),
                value = T.Load(in Value, at);
            T sigmoid = Sigmoid(gate),
                silu = gate * sigmoid;

            // SiLU' = σ(1 + g(1 − σ)) = σ + SiLU·(1 − σ)
            T slope = T.NegateMultiplyAdd(silu, sigmoid, silu) + sigmoid;
            (dy * value * slope).Store(ref GateGradients, at);
            (dy * silu).Store(ref ValueGradients, at);
        }
    }
}
