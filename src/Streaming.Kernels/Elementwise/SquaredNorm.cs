namespace Streaming.Kernels;

/// <summary>Sum of squares, accumulated in float64.</summary>
public static class SquaredNorm
{
    private const int MaxParts = 64;

    /// <summary>Σ x².</summary>
    /// <param name="values">x.</param>
    /// <param name="workers">Threads to use, or null for the calling one. The result is the same to the bit.</param>
    public static double Compute(ReadOnlySpan<float> values, Workers? workers = null)
    {
        Span<double> partial = stackalloc double[MaxParts];
        int parts = Math.Min(MaxParts, values.Length / 16384 + 1);
        Job job = new() { Values = values, Partial = partial, Parts = parts };
        Workers.RunOn(workers, parts, ref job, static (ref Job job, int part, int _) =>
        {
            int begin = Workers.Begin(job.Values.Length, job.Parts, part, 16);
            int end = Workers.Begin(job.Values.Length, job.Parts, part + 1, 16);
            double sum = 0;
            foreach (float value in job.Values[begin..end])
            {
                sum += (double)value * value;
            }

            job.Partial[part] = sum;
        });
        double total = 0;
        for (int part = 0; part < parts; part++)
        {
            total += partial[part];
        }

        return total;
    }

    private ref struct Job
    {
        public ReadOnlySpan<float> Values;
        public Span<double> Partial;
        public int Parts;
    }
}
