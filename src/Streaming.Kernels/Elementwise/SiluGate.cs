namespace Streaming.Kernels;

/// <summary>The gate of the feed-forward layers: y = SiLU(g) ⊙ v, with SiLU(g) = g / (1 + e^−g).</summary>
public static class SiluGate
{
    private const int Block = 16384;

    /// <summary>y = SiLU(gate) ⊙ value.</summary>
    /// <param name="gate">g.</param>
    /// <param name="value">v, as many.</param>
    /// <param name="output">Out: y, as many. May be either input.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public static void Forward(ReadOnlySpan<float> gate, ReadOnlySpan<float> value, Span<float> output, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length, nameof(value));
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, gate.Length, nameof(output));
        ForwardJob job = new() { Gate = gate, Value = value, Output = output };
        Workers.RunOn(workers, (gate.Length + Block - 1) / Block, ref job, static (ref ForwardJob job, int part, int _) =>
        {
            int end = Math.Min(job.Gate.Length, (part + 1) * Block);
            for (int i = part * Block; i < end; i++)
            {
                job.Output[i] = job.Gate[i] / (1f + MathF.Exp(-job.Gate[i])) * job.Value[i];
            }
        });
    }

    /// <summary>Gradients by gate and value.</summary>
    /// <param name="outputGradients">∂L/∂y.</param>
    /// <param name="gate">g.</param>
    /// <param name="value">v.</param>
    /// <param name="gateGradients">Out: ∂L/∂g, overwritten. May be any input.</param>
    /// <param name="valueGradients">Out: ∂L/∂v, overwritten. May be any input.</param>
    /// <param name="workers">Threads to use, or null for the calling one.</param>
    public static void Backward(ReadOnlySpan<float> outputGradients, ReadOnlySpan<float> gate, ReadOnlySpan<float> value, Span<float> gateGradients, Span<float> valueGradients, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length, nameof(value));
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputGradients.Length, gate.Length, nameof(outputGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(gateGradients.Length, gate.Length, nameof(gateGradients));
        ArgumentOutOfRangeException.ThrowIfLessThan(valueGradients.Length, gate.Length, nameof(valueGradients));
        BackwardJob job = new() { OutputGradients = outputGradients, Gate = gate, Value = value, GateGradients = gateGradients, ValueGradients = valueGradients };
        Workers.RunOn(workers, (gate.Length + Block - 1) / Block, ref job, static (ref BackwardJob job, int part, int _) =>
        {
            int end = Math.Min(job.Gate.Length, (part + 1) * Block);
            for (int i = part * Block; i < end; i++)
            {
                float g = job.Gate[i], dy = job.OutputGradients[i], v = job.Value[i];
                float sigmoid = 1f / (1f + MathF.Exp(-g));
                job.GateGradients[i] = dy * v * sigmoid * (1f + g * (1f - sigmoid));
                job.ValueGradients[i] = dy * g * sigmoid;
            }
        });
    }

    private ref struct ForwardJob
    {
        public ReadOnlySpan<float> Gate;
        public ReadOnlySpan<float> Value;
        public Span<float> Output;
    }

    private ref struct BackwardJob
    {
        public ReadOnlySpan<float> OutputGradients;
        public ReadOnlySpan<float> Gate;
        public ReadOnlySpan<float> Value;
        public Span<float> GateGradients;
        public Span<float> ValueGradients;
    }
}
