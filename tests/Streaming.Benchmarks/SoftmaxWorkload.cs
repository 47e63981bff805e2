using Streaming.Kernels.Parallel;
using Streaming.Kernels.Softmax;

namespace Streaming.Benchmarks;

/// <summary>Data of a nested softmax, and the kernel on it.</summary>
internal sealed class SoftmaxWorkload
{
    public const float Temperature = 0.1f;
    private const int Items = 20_000;

    private readonly NestedSoftmax _softmax;
    private readonly float[] _users;
    private readonly float[] _candidates;
    private readonly int[] _ids;
    private readonly float[] _logQ;
    private readonly int[] _positives;
    private readonly float[] _rowWeights;
    private readonly float[] _widthWeights;
    private readonly float[] _userGradients;
    private readonly float[] _candidateGradients;
    private readonly bool _cosine;

    public SoftmaxWorkload(SoftmaxShape shape, Workers? workers, bool cosine = false, int gradientCandidates = 0)
    {
        Shape = shape;
        _cosine = cosine;
        Random random = new(1);
        _users = Normal(random, shape.Rows * shape.Dimension);
        _candidates = Normal(random, shape.Candidates * shape.Dimension);
        _ids = new int[shape.Candidates];
        _logQ = new float[shape.Candidates];
        for (int i = 0; i < _ids.Length; i++)
        {
            // Popularity falls with the square root of the rank.
            double u = random.NextDouble();
            _ids[i] = (int)(Items * u * u);
            _logQ[i] = (float)Math.Log(0.5 / Items / Math.Max(1e-3, u));
        }

        int gradients = gradientCandidates == 0 ? shape.Rows : gradientCandidates;
        _positives = [.. Enumerable.Range(0, shape.Rows)];
        _rowWeights = Ones(shape.Rows);
        _widthWeights = Ones(shape.Widths.Length);
        _userGradients = new float[_users.Length];
        _candidateGradients = new float[gradients * shape.Dimension];
        GradientCandidates = gradients;
        Losses = new double[shape.Widths.Length];
        _softmax = new NestedSoftmax(shape.Widths, shape.Rows, shape.Candidates, workers);
    }

    public SoftmaxShape Shape { get; }

    public int GradientCandidates { get; }

    public double[] Losses { get; }

    public float[] Users => _users;

    public float[] Candidates => _candidates;

    public int[] Ids => _ids;

    public float[] LogQ => _logQ;

    public float[] UserGradients => _userGradients;

    public float[] CandidateGradients => _candidateGradients;

    public long ScratchBytes => _softmax.ScratchBytes;

    /// <summary>Operations per run: scores and users' gradients, then the batch's scores again and candidates' gradients.</summary>
    public double Operations =>
        2.0 * Shape.Rows * Shape.Candidates * _softmax.MultiplyAdds(Shape.Candidates)
        + 2.0 * 2 * Shape.Rows * GradientCandidates * Shape.Dimension;

    public void Run() =>
        _softmax.Run(
            new NestedSoftmaxProblem
            {
                Users = _users,
                Candidates = _candidates,
                CandidateIds = _ids,
                LogQ = _logQ,
                PositiveColumn = _positives,
                RowWeights = _rowWeights,
                WidthWeights = _widthWeights,
                GradientCandidates = GradientCandidates,
                Temperature = Temperature,
                Cosine = _cosine,
                Correction = LogQCorrection.Classic,
                UserGradients = _userGradients,
                CandidateGradients = _candidateGradients,
                Losses = Losses,
            }
        );

    private static float[] Normal(Random random, int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)(0.15 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return values;
    }

    private static float[] Ones(int count)
    {
        float[] values = new float[count];
        Array.Fill(values, 1f);
        return values;
    }
}
