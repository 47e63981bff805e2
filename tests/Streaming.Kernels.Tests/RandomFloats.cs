namespace Streaming.Kernels.Tests;

/// <summary>Seeded test data.</summary>
internal static class RandomFloats
{
    public static float[] Normal(int count, int seed, double scale = 1)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = (float)(scale * radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return values;
    }
}
