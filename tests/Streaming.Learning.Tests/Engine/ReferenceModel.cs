using System.Numerics;
using System.Runtime.InteropServices;
using Streaming.Kernels.Softmax;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Tests.Engine;

/// <summary>
/// A straightforward float64 implementation of a batch's forward pass, the reference for engines. Gradients
/// come from central differences. Without dropout.
/// </summary>
internal sealed class ReferenceModel
{
    private const double NormEpsilon = 1e-5;
    private readonly ModelOptions _o;
    private readonly Dictionary<string, double[]> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<int, double[][][]> _routing = [];
    private readonly Dictionary<int, int> _chosen = [];
    private readonly List<(int Row, double[] Vector, double LogQ)> _bank = [];

    public ReferenceModel(ModelOptions options, TensorSource source)
    {
        _o = options;
        for (int i = 0; i < source.Tensors.Count; i++)
        {
            TensorInfo info = source.Tensors[i];
            int count = (int)info.Shape.Aggregate(1L, (product, size) => product * size);
            if (info.Type == TensorType.F32)
            {
                float[] values = new float[count];
                source.Read(i, 0, MemoryMarshal.AsBytes(values.AsSpan()));
                _tensors[info.Name] = [.. values.Select(value => (double)value)];
            }
            else if (info.Name == "bank.ages")
            {
                _ages = new long[count];
                source.Read(i, 0, MemoryMarshal.AsBytes(_ages.AsSpan()));
            }
            else if (info.Name == "bank.rows")
            {
                BankRows = new int[count];
                source.Read(i, 0, MemoryMarshal.AsBytes(BankRows.AsSpan()));
            }
        }

        for (int i = 0; i < BankRows.Length; i++)
        {
            _bank.Add((BankRows[i], _tensors["bank.vectors"][(i * D)..((i + 1) * D)], _tensors["bank.log_q"][i]));
        }
    }

    public int[] BankRows { get; } = [];

    private readonly long[] _ages = [];

    /// <summary>Names of the trained tensors.</summary>
    public IEnumerable<string> Trained =>
        _tensors.Keys.Where(name =>
            !name.EndsWith(".adam_m", StringComparison.Ordinal)
            && !name.EndsWith(".adam_v", StringComparison.Ordinal)
            && !name.EndsWith(".adagrad", StringComparison.Ordinal)
            && !name.StartsWith("bank.", StringComparison.Ordinal)
            && name is not ("items.features" or "tower.routing")
        );

    private int D => _o.Dimension;

    public double[] Tensor(string name) => _tensors[name];

    /// <summary>Central difference of the total loss with respect to one value.</summary>
    public double Difference(RandomBatch batch, string name, int index)
    {
        const double h = 1e-4;
        double[] tensor = _tensors[name];
        double old = tensor[index];
        tensor[index] = old + h;
        double up = Total(Losses(batch));
        tensor[index] = old - h;
        double down = Total(Losses(batch));
        tensor[index] = old;
        return (up - down) / (2 * h);
    }

    public double Total(double[] losses)
    {
        double[] weights =
            _o.WidthWeights.Count == 0 ? [.. losses.Select(_ => 1.0)] : [.. _o.WidthWeights.Select(weight => (double)weight)];
        return losses.Zip(weights, (loss, weight) => loss * weight).Sum() / weights.Sum();
    }

    public double[] Item(int row)
    {
        double[] e = new double[D];
        if (_o.ItemIds)
        {
            Array.Copy(_tensors["items.embedding"], row * D, e, 0, D);
        }

        int f = _o.FeatureLength;
        for (int c = 0; f > 0 && c < D; c++)
        {
            e[c] += _tensors["items.projection.bias"][c];
            for (int i = 0; i < f; i++)
            {
                e[c] += _tensors["items.features"][(row * f) + i] * _tensors["items.projection.weight"][(i * D) + c];
            }
        }

        return e;
    }

    /// <summary>User vectors after each step of a history: [steps][interests][D].</summary>
    public double[][][] Users(int[] rows, int sequence)
    {
        double[][] x = [_tensors["tower.start"], .. rows.Select(Item)];
        return _o.Tower switch
        {
            TowerKind.FmrlRec => One(FmrlRec(x)),
            TowerKind.YoutubeDnn => One([.. x.Select((_, t) => Linear("tower.dense", Mean(x[..(t + 1)]), 1, 1))]),
            TowerKind.Gru4Rec => One(Gru(x)),
            _ => Mind(x, sequence),
        };
    }

    /// <summary>Loss of each width.</summary>
    public double[] Losses(RandomBatch b)
    {
        double[][][][] sequences =
        [
            .. Enumerable.Range(0, b.Offsets.Length - 1).Select(q => Users(b.Rows[b.Offsets[q]..b.Offsets[q + 1]], q)),
        ];
        double[][] users = [.. b.Steps.Select((step, i) => UserAt(b, sequences, step, i))];
        var candidates = new List<(int Row, double[] Vector, double LogQ, int Owner)>();
        if (_o.Loss != LossKind.Full)
        {
            candidates.AddRange(b.Positives.Select((row, i) => (row, Item(row), (double)b.LogQ[i], i)));
        }

        candidates.AddRange(b.Negatives.Select((row, i) => (row, Item(row), (double)b.NegativeLogQ[i], -1)));
        candidates.AddRange(_bank.Take(b.BankEntries).Select(entry => (entry.Row, entry.Vector, entry.LogQ, -1)));
        candidates = [.. candidates.Select(c => c with { LogQ = Mixture(b, c.LogQ, candidates.Count) })];
        double[] losses = new double[_o.Widths.Count];
        double weights = b.Weights.Sum(weight => (double)weight);
        double[] own = [.. b.LogQ.Select(logP => Mixture(b, logP, candidates.Count))];
        for (int k = 0; k < losses.Length; k++)
        {
            for (int i = 0; i < users.Length; i++)
            {
                losses[k] += b.Weights[i] / weights * RowLoss(users[i], i, b.Positives[i], own[i], candidates, _o.Widths[k]);
            }
        }

        return losses;
    }

    // Expected occurrences of an item over the number of candidates. A distinct bank holds it, if one of its window's draws did.
    private double Mixture(RandomBatch b, double logP, int candidates)
    {
        double p = Math.Exp(logP);
        double uniform = b.DrawnFrom > 0 ? (double)b.Negatives.Length / b.DrawnFrom : 0;
        bool distinct = _o.DistinctBank && b.BankEntries > 0;
        if (uniform == 0 && !distinct)
        {
            return logP;
        }

        double bank = distinct ? 1 - Math.Exp(-p * _ages[b.BankEntries - 1]) : b.BankEntries * p;
        return Math.Log(((b.Positives.Length * p) + bank + uniform) / candidates);
    }

    private double RowLoss(
        double[] user,
        int row,
        int positive,
        double positiveLogQ,
        List<(int Row, double[] Vector, double LogQ, int Owner)> candidates,
        int width
    )
    {
        bool full = _o.Loss == LossKind.Full,
            uniform = _o.Loss == LossKind.Uniform;
        LogQCorrection correction = full || uniform ? LogQCorrection.None : _o.LogQ;
        double own = Score(user, Item(positive), width);

        // Other rows' positives are not candidates of the uniform loss; accidental hits of its draws are kept.
        var negatives = candidates
            .Where(c =>
                uniform ? c.Owner < 0
                : _o.HitMask == HitMask.Slot ? c.Owner != row
                : c.Row != positive
            )
            .ToList();
        if (correction != LogQCorrection.Corrected)
        {
            double q = correction == LogQCorrection.None ? 0 : 1;
            double reference = own - (q * positiveLogQ);
            return Math.Log(1 + negatives.Sum(c => Math.Exp(Score(user, c.Vector, width) - (q * c.LogQ) - reference)));
        }

        if (negatives.Count == 0)
        {
            return 0;
        }

        double keep = Math.Log(Math.Max(1 - Math.Exp(positiveLogQ), NestedSoftmax.LeastMissProbability));
        double sum = negatives.Sum(c => Math.Exp(Score(user, c.Vector, width) - c.LogQ + keep));
        int key = (row * 10000) + width;
        if (!_stopped.TryGetValue(key, out double weight))
        {
            _stopped[key] = weight = 1 - (Math.Exp(own) / (Math.Exp(own) + (sum / negatives.Count)));
        }

        return -weight * (own - Math.Log(sum));
    }

    private readonly Dictionary<int, double> _stopped = [];

    private double Score(double[] u, double[] e, int width)
    {
        double dot = 0,
            uu = 0,
            ee = 0;
        for (int c = 0; c < width; c++)
        {
            dot += u[c] * e[c];
            uu += u[c] * u[c];
            ee += e[c] * e[c];
        }

        return (_o.Cosine ? dot / Math.Sqrt(uu * ee) : dot) / _o.Temperature;
    }

    private double[] UserAt(RandomBatch b, double[][][][] sequences, int step, int prediction)
    {
        int s = 0;
        while (b.Offsets[s + 1] + s < step)
        {
            s++;
        }

        double[][] interests = sequences[s][step - (b.Offsets[s] + s)];
        if (!_chosen.TryGetValue(prediction, out int chosen))
        {
            double[] label = Item(b.Positives[prediction]);
            _chosen[prediction] = chosen = Enumerable.Range(0, interests.Length).MaxBy(j => Score(interests[j], label, D));
        }

        return interests[chosen];
    }

    private double[][] FmrlRec(double[][] x)
    {
        double[][] rows = x;
        if (_o.InputNorm)
        {
            rows = [.. rows.Select(row => Norm("tower.input_norm", row))];
        }

        for (int l = 0; l < _o.Layers; l++)
        {
            string name = $"tower.block{l}";
            bool before = _o.Norm == NormPlacement.Before;
            double[][] input = before ? rows.Select(row => Norm($"{name}.mix_norm", row)).ToArray() : rows;
            double[][] mixed = Lru($"{name}.lru", input).Zip(rows, Add).ToArray();
            rows = before
                ? [.. mixed.Select(h => Add(h, Ffn($"{name}.ffn", Norm($"{name}.ffn_norm", h))))]
                : [.. mixed.Select(h => Norm($"{name}.mix_norm", h)).Select(h => Norm($"{name}.ffn_norm", Add(h, Ffn($"{name}.ffn", h))))];
        }

        if (_o.OutputNorm)
        {
            rows = [.. rows.Select(row => Norm("tower.output_norm", row))];
        }

        return _o.OutputLinear ? [.. rows.Select(row => Linear("tower.output", row, 1, 1))] : rows;
    }

    private double[][] Lru(string name, double[][] x)
    {
        var state = new Complex[D];
        Complex[] lambda =
        [
            .. _tensors[$"{name}.nu_log"]
                .Zip(_tensors[$"{name}.theta_log"], (nu, theta) => Complex.FromPolarCoordinates(Math.Exp(-Math.Exp(nu)), Math.Exp(theta))),
        ];
        double[] gamma = [.. _tensors[$"{name}.gamma_log"].Select(Math.Exp)];
        var outputs = new List<double[]>();
        foreach (double[] row in x)
        {
            double[] bx = Linear($"{name}.input", row, 1, 2);
            double[] flat = new double[2 * D];
            ForChannels(
                (channel, re, n) =>
                {
                    state[channel] = (lambda[channel] * state[channel]) + (gamma[channel] * new Complex(bx[re], bx[re + n]));
                    (flat[re], flat[re + n]) = (state[channel].Real, state[channel].Imaginary);
                }
            );
            outputs.Add(Linear($"{name}.output", flat, 2, 1));
        }

        return [.. outputs];
    }

    // For each increment first the real parts, then the imaginary ones.
    private void ForChannels(Action<int, int, int> action)
    {
        for (int k = 0; k < _o.Widths.Count; k++)
        {
            int start = k == 0 ? 0 : _o.Widths[k - 1],
                n = _o.Widths[k] - start;
            for (int i = 0; i < n; i++)
            {
                action(start + i, (2 * start) + i, n);
            }
        }
    }

    private double[] Ffn(string name, double[] x)
    {
        double[] gate = Linear($"{name}.gate", x, 1, 1);
        double[] up = Linear($"{name}.up", x, 1, 1);
        return Linear($"{name}.down", [.. gate.Zip(up, (g, v) => g / (1 + Math.Exp(-g)) * v)], 1, 1);
    }

    private double[][] Gru(double[][] x)
    {
        double[] h = new double[D];
        var outputs = new List<double[]>();
        foreach (double[] row in x)
        {
            double[] w = Linear("tower.gru.input", row, 1, 3);
            double[] u = Linear("tower.gru.hidden", h, 1, 3);
            double[] next = new double[D];
            for (int k = 0; k < _o.Widths.Count; k++)
            {
                int start = k == 0 ? 0 : _o.Widths[k - 1],
                    n = _o.Widths[k] - start;
                for (int i = 0; i < n; i++)
                {
                    int at = (3 * start) + i;
                    double z = Sigmoid(w[at] + u[at]),
                        r = Sigmoid(w[at + n] + u[at + n]);
                    double fresh = Math.Tanh(w[at + (2 * n)] + (r * u[at + (2 * n)]));
                    next[start + i] = ((1 - z) * fresh) + (z * h[start + i]);
                }
            }

            h = next;
            outputs.Add(h);
        }

        return [.. outputs];
    }

    private double[][][] Mind(double[][] x, int sequence)
    {
        double[][] votes = [.. x.Select(row => Linear("tower.votes", row, 1, 1))];
        if (!_routing.TryGetValue(sequence, out double[][][]? weights))
        {
            _routing[sequence] = weights = Route(votes);
        }

        double[][] interests = Capsules(votes, weights);
        double[][][] result = new double[x.Length][][];
        result[^1] = [.. interests.Select(c => Linear("tower.dense", c, 1, 1))];
        return result;
    }

    // Routing weights of the last round: [steps][K][interests], directly from the definition with agreements on prefixes.
    private double[][][] Route(double[][] votes)
    {
        int positions = _o.HistoryLength + 1,
            j = _o.Interests;
        double[][][] logits =
        [
            .. votes.Select(
                (_, t) =>
                    _o
                        .Widths.Select(_ =>
                            Enumerable.Range(0, j).Select(i => _tensors["tower.routing"][(i * positions) + votes.Length - 1 - t]).ToArray()
                        )
                        .ToArray()
            ),
        ];
        for (int round = 0; ; round++)
        {
            double[][][] weights = [.. logits.Select(step => step.Select(Softmax).ToArray())];
            if (round + 1 == _o.RoutingIterations)
            {
                return weights;
            }

            double[][] capsules = Capsules(votes, weights);
            for (int t = 0; t < votes.Length; t++)
            {
                for (int k = 0; k < _o.Widths.Count; k++)
                {
                    for (int i = 0; i < j; i++)
                    {
                        logits[t][k][i] += Enumerable.Range(0, _o.Widths[k]).Sum(c => capsules[i][c] * votes[t][c]);
                    }
                }
            }
        }
    }

    private double[][] Capsules(double[][] votes, double[][][] weights)
    {
        double[][] capsules = new double[_o.Interests][];
        for (int j = 0; j < capsules.Length; j++)
        {
            double[] sum = new double[D];
            capsules[j] = new double[D];
            double square = 0;
            for (int k = 0; k < _o.Widths.Count; k++)
            {
                int start = k == 0 ? 0 : _o.Widths[k - 1];
                for (int c = start; c < _o.Widths[k]; c++)
                {
                    sum[c] = votes.Select((vote, t) => weights[t][k][j] * vote[c]).Sum();
                    square += sum[c] * sum[c];
                }

                for (int c = start; c < _o.Widths[k]; c++)
                {
                    capsules[j][c] = Math.Sqrt(square + 1e-9) / (1 + square) * sum[c];
                }
            }
        }

        return capsules;
    }

    private double[] Linear(string name, double[] x, int inFactor, int outFactor)
    {
        double[] y = new double[D * outFactor];
        _tensors.TryGetValue($"{name}.bias", out double[]? bias);
        for (int k = 0; k < _o.Widths.Count; k++)
        {
            int inputs = _o.Widths[k] * inFactor,
                start = k == 0 ? 0 : _o.Widths[k - 1] * outFactor,
                n = (_o.Widths[k] * outFactor) - start;
            double[] weight = _tensors[$"{name}.weight.{k}"];
            for (int c = 0; c < n; c++)
            {
                y[start + c] = bias is null ? 0 : bias[start + c];
                for (int i = 0; i < inputs; i++)
                {
                    y[start + c] += x[i] * weight[(i * n) + c];
                }
            }
        }

        return y;
    }

    private double[] Norm(string name, double[] x)
    {
        double[] y = new double[D];
        double[] gain = _tensors[$"{name}.gain"],
            bias = _tensors[$"{name}.bias"];
        for (int k = 0; k < _o.Widths.Count; k++)
        {
            int start = k == 0 ? 0 : _o.Widths[k - 1],
                n = _o.Widths[k] - start;
            double mean = x.Skip(start).Take(n).Average(),
                variance = x.Skip(start).Take(n).Average(value => (value - mean) * (value - mean));
            for (int c = start; c < start + n; c++)
            {
                y[c] = ((x[c] - mean) / Math.Sqrt(variance + NormEpsilon) * gain[c]) + bias[c];
            }
        }

        return y;
    }

    private double[] Mean(double[][] x) => [.. Enumerable.Range(0, D).Select(c => x.Average(row => row[c]))];

    private static double[] Softmax(double[] logits)
    {
        double max = logits.Max(),
            sum = logits.Sum(value => Math.Exp(value - max));
        return [.. logits.Select(value => Math.Exp(value - max) / sum)];
    }

    private static double[][][] One(double[][] rows) => [.. rows.Select(row => new[] { row })];

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
