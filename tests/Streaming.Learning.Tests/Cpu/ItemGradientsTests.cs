using Streaming.Learning.Cpu;
using Xunit;

namespace Streaming.Learning.Tests.Cpu;

public sealed class ItemGradientsTests
{
    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(5, 40, 20)]
    [InlineData(300, 100, 400)]
    public void Sum_EachItem_IsThatOfItsStepsAndColumns(int items, int steps, int columns)
    {
        const int d = 4;
        var random = new Random(items);
        int[] stepSlots = [.. Enumerable.Range(0, steps).Select(_ => random.Next(-1, items))];
        int[] columnSlots = [.. Enumerable.Range(0, columns).Select(_ => random.Next(items))];
        float[] byStep = [.. Enumerable.Range(0, steps * d).Select(_ => random.Next(-9, 9))],
            byColumn = [.. Enumerable.Range(0, columns * d).Select(_ => random.Next(-9, 9))];
        var gradients = new ItemGradients(d);
        gradients.Plan(items + 5, stepSlots, columnSlots); // a larger step before must leave nothing

        gradients.Plan(items, stepSlots, columnSlots);
        int half = items / 2;
        gradients.Sum(half, items, byStep, byColumn);
        gradients.Sum(0, half, byStep, byColumn);

        float[] expected = new float[items * d];
        Add(stepSlots, byStep);
        Add(columnSlots, byColumn);
        Assert.Equal(expected, gradients.Sums.ToArray());

        void Add(int[] slots, float[] values)
        {
            for (int i = 0; i < slots.Length * d; i++)
            {
                if (slots[i / d] >= 0)
                {
                    expected[(slots[i / d] * d) + (i % d)] += values[i];
                }
            }
        }
    }
}
