using System.Numerics;
using Streaming.Kernels.Parallel;

namespace Streaming.Kernels.Elementwise;

/// <summary>Sum of squares, accumulated in float64.</summary>
public static class SquaredNorm
{
    private const int MaxParts = 64;

    /// <summary>Σ x².</summary>
    /// <param name="values">x.</param>
    /// <param name="workers">Threads to use; null runs on the calling thread. The result is bitwise identical.</param>
    public static double Compute(ReadOnlySpan<float> values, Workers? workers = null)
    {
        Span<double> partial = stackalloc double[MaxParts];
        int parts = Math.Min(MaxParts, values.Length / 16384 + 1);
        Job job = new()
        {
            Values = values,
            Partial = partial,
            Parts = parts,
        };
        Workers.RunOn(
            workers,
            parts,
            ref job,
            static (ref Job job, int part, int _) =>
            {
                int begin = Workers.Begin(job.Values.Length, job.Parts, part, 16);
                int end = Workers.Begin(job.Values.Length, job.Parts, part + 1, 16);
                job.Partial[part] = Sum(job.Values[begin..end]);
            }
        );
        double total = 0;
        for (int part = 0; part < parts; part++)
        {
            total += partial[part];
        }

        return total;
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        Vector<double> low = Vector<double>.Zero,
            high = low;
        int at = 0;
        for (; at + Vector<float>.Count <= values.Length; at += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[at..]), out Vector<double> a, out Vector<double> b);
            low += a * a;
            high += b * b;
        }

        double sum = Vector.Sum(low + high);
        for (; at < values.Length; at++)
        {
            sum += (double)values[at] * values[at];
        }

        return sum;
    }

    private ref struct Job
    {
        public ReadOnlySpan<float> Values;
        public Span<double> Partial;
        public int Parts;
    }
}
