using Streaming.Models.Layers;
using Streaming.Models.State;
using Xunit;

namespace Streaming.Models.Tests.Layers;

public sealed class GruTests
{
    private const int D = 12;
    private static readonly int[] Widths = [4, 12];

    [Fact]
    public void Step_ByTheEquations_GivesTheNewState()
    {
        var random = new Random(1);
        float[] gates = Gradients.Values(random, 3 * D),
            hidden = Gradients.Values(random, 3 * D),
            state = Gradients.Values(random, D);
        double[] expected = Expected(gates, hidden, state);

        Create().Step(gates, hidden, new float[D], state);

        Assert.All(expected.Zip(state), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Step_ClosedUpdateGate_KeepsTheState()
    {
        float[] state = Gradients.Values(new Random(2), D),
            before = [.. state];
        float[] gates = new float[3 * D];
        foreach ((int start, int n) in new[] { (0, 4), (4, 8) })
        {
            gates.AsSpan(3 * start, n).Fill(40); // z = 1
        }

        Create().Step(gates, new float[3 * D], new float[D], state);

        Assert.Equal(before, state);
    }

    [Fact]
    public void StepBackward_EveryGradient_IsThatOfDifferences()
    {
        var random = new Random(3);
        Gru gru = Create();
        float[] x = Gradients.Values(random, 3 * D),
            u = Gradients.Values(random, 3 * D),
            before = Gradients.Values(random, D),
            weights = Gradients.Values(random, D);
        float[] gates = [.. x],
            candidate = new float[D],
            state = [.. before],
            gradient = [.. weights],
            hidden = new float[3 * D];
        gru.Step(gates, u, candidate, state);

        gru.StepBackward(gates, candidate, before, gradient, hidden);

        Gradients.Check("W x", x, 0, gates, Loss);
        Gradients.Check("U h", u, 0, hidden, Loss);

        // The part of h that does not go through U h.
        Gradients.Check("h", before, 0, gradient, Loss);

        double Loss()
        {
            float[] next = [.. before];
            gru.Step([.. x], u, new float[D], next);
            return Gradients.Loss(next, weights);
        }
    }

    [Fact]
    public void Step_LaterIncrementChanged_EarlierStateStays()
    {
        var random = new Random(4);
        Gru gru = Create();
        float[] gates = Gradients.Values(random, 3 * D),
            hidden = Gradients.Values(random, 3 * D),
            state = Gradients.Values(random, D),
            before = [.. state];
        float[] changedGates = [.. gates.Take(12), .. Gradients.Values(random, 24)],
            changed = [.. before];

        gru.Step([.. gates], hidden, new float[D], state);
        gru.Step(changedGates, hidden, new float[D], changed);

        Assert.Equal(state[..4], changed[..4]);
        Assert.NotEqual(state[4..], changed[4..]);
    }

    private static Gru Create()
    {
        var set = new ParameterSet();
        var gru = new Gru(set, "x", new Increments(Widths));
        Gradients.Allocate(set, new Random(9));
        return gru;
    }

    private static double[] Expected(float[] gates, float[] hidden, float[] state)
    {
        double[] next = new double[D];
        foreach ((int start, int n) in new[] { (0, 4), (4, 8) })
        {
            for (int i = 0; i < n; i++)
            {
                int at = (3 * start) + i;
                double z = Sigmoid(gates[at] + hidden[at]),
                    r = Sigmoid(gates[at + n] + hidden[at + n]);
                double fresh = Math.Tanh(gates[at + (2 * n)] + (r * hidden[at + (2 * n)]));
                next[start + i] = ((1 - z) * fresh) + (z * state[start + i]);
            }
        }

        return next;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
