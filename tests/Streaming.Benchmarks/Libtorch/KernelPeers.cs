using Streaming.Kernels.Linear;
using Streaming.Kernels.Recurrence;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>Single kernels in libtorch: each compares its result with ours, then returns one repetition.</summary>
internal static class KernelPeers
{
    /// <summary>C = A·B into a reused matrix: MKL's product.</summary>
    public static Action Product(int m, int n, int k, float[] a, float[] b)
    {
        float[] expected = new float[m * n];
        Gemm.Multiply(m, n, k, a, k, b, n, expected, n);
        Tensor left = tensor(a, [m, k]),
            right = tensor(b, [k, n]),
            product = empty(m, n);
        void Run() => product.addmm_(left, right, beta: 0, alpha: 1);
        Run();
        Agreement.Require($"SGEMM {m} × {n} × {k}", expected, product, 1e-4);
        return Run;
    }

    /// <summary>The recurrence s_t = λ s_{t−1} + x_t, one <c>addcmul</c> per step under autograd, forward and backward.</summary>
    /// <remarks>The fastest of four forms tried (product and sum, a handwritten autograd function, real numbers).</remarks>
    public static Action Recurrence(int sequences, int length, int channels)
    {
        CompareRecurrence();
        var run = new RecurrencePeer(sequences, length, channels);
        return run.Run;
    }

    // Three sequences with γ = 1, through the kernel and through the peer.
    private static void CompareRecurrence()
    {
        const int sequences = 3,
            length = 51,
            channels = 16,
            size = 2 * channels;
        var peer = new RecurrencePeer(sequences, length, channels);
        peer.Run();
        float[] ones = new float[size],
            sums = new float[size],
            unused = new float[size];
        Array.Fill(ones, 1f);
        float[] lambda = Channels(peer.Factor.detach().unsqueeze(0)),
            inputs = Channels(peer.Inputs.detach().transpose(0, 1)),
            gradients = Channels(peer.Gradient.transpose(0, 1));
        for (int at = 0; at < inputs.Length; at += length * size)
        {
            NestedLruScan.Forward(inputs.AsSpan(at), length, [channels], lambda, ones);
            NestedLruScan.Backward(inputs.AsSpan(at), gradients.AsSpan(at), length, [channels], lambda, ones, sums, unused);
        }

        Agreement.Require("LRU, gradients of inputs", gradients, tensor(Channels(peer.Inputs.grad!.transpose(0, 1))), 1e-4);
        Agreement.Require("LRU, gradients of λ", sums, tensor(Channels(peer.Factor.grad!.unsqueeze(0))), 1e-4);
    }

    // Complex numbers in the kernel's layout: a row's real parts, then its imaginary parts.
    private static float[] Channels(Tensor values) =>
        view_as_real(values.contiguous()).transpose(-1, -2).contiguous().data<float>().ToArray();

    private sealed class RecurrencePeer(int sequences, int length, int channels)
    {
        public Tensor Factor { get; } = polar(rand(channels).mul(0.19).add(0.8), rand(channels).mul(0.3)).requires_grad_();

        public Tensor Inputs { get; } = complex(randn(length, sequences, channels), randn(length, sequences, channels)).requires_grad_();

        public Tensor Gradient { get; } = complex(randn(length, sequences, channels), randn(length, sequences, channels));

        public void Run()
        {
            using DisposeScope scope = NewDisposeScope();
            Factor.grad = null;
            Inputs.grad = null;
            Tensor[] inputs = Inputs.unbind(0),
                states = new Tensor[length];
            states[0] = inputs[0];
            for (int t = 1; t < length; t++)
            {
                states[t] = addcmul(inputs[t], Factor, states[t - 1], 1);
            }

            stack(states).backward([Gradient]);
        }
    }
}
