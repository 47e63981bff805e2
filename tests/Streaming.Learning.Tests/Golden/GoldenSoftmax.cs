namespace Streaming.Learning.Tests.Golden;

/// <summary>One nested softmax: its inputs, and PyTorch's results.</summary>
internal sealed record GoldenSoftmax(
    string Name,
    int[] Widths,
    float Temperature,
    bool Cosine,
    string Correction,
    float[] WidthWeights,
    int GradientCandidates,
    int[] PositiveColumn,
    int[] Ids,
    float[] Users,
    float[] Candidates,
    float[] LogQ,
    float[] RowWeights,
    double[] Losses,
    double[] UserGradients,
    double[] CandidateGradients
);
