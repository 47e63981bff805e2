using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Learning.Tests.Golden;

public class GoldenLruTests
{
    private readonly ParameterSet _set = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Recurrence_GoldenVector_MatchesPyTorch(int index)
    {
        GoldenLru golden = GoldenVectors.Read().Lru[index];
        int d = golden.Widths[^1];
        Lru lru = Declare(golden);
        float[] states = new float[golden.Steps * 2 * d],
            outputs = new float[golden.Steps * d];
        lru.Prepare();
        lru.Input.Forward(golden.Inputs, states, golden.Steps);
        lru.Scan(states, golden.Steps);
        lru.Output.Forward(states, outputs, golden.Steps);

        float[] direction = [.. golden.Direction.Select(value => (float)value)];
        float[] stateGradients = new float[states.Length],
            inputGradients = new float[outputs.Length],
            sums = new float[lru.SumsLength];
        var lane = new Lane(_set.Length, golden.Widths);
        lru.Output.Backward(states, direction, stateGradients, golden.Steps, lane);
        lru.ScanBackward(states, stateGradients, golden.Steps, sums);
        lru.AddGradients(sums, lane);
        lru.Input.Backward(golden.Inputs, stateGradients, inputGradients, golden.Steps, lane);

        Near.Equal("outputs", golden.Outputs, outputs, 2e-6);
        Near.Equal("input gradients", golden.InputGradients, inputGradients, 5e-6);
        foreach (Parameter parameter in _set.All)
        {
            string name = parameter.Name["lru.".Length..];
            Near.Equal(name, golden.ParameterGradients[name], lane.Gradient(parameter).ToArray(), 1e-5);
        }
    }

    private Lru Declare(GoldenLru golden)
    {
        var lru = new Lru(_set, "lru", new Increments(golden.Widths));
        _set.Allocate();
        Assert.Equal(golden.Parameters.Count, _set.All.Count);
        foreach (Parameter parameter in _set.All)
        {
            golden.Parameters[parameter.Name["lru.".Length..]].CopyTo(_set.Value(parameter));
        }

        return lru;
    }
}
