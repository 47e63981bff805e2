namespace Streaming.Learning.Tests.Golden;

/// <summary>One linear recurrent unit over one sequence; gradients are of Σ outputs · direction.</summary>
internal sealed record GoldenLru(
    int Steps,
    int[] Widths,
    float[] Inputs,
    double[] Direction,
    IReadOnlyDictionary<string, float[]> Parameters,
    double[] Outputs,
    double[] InputGradients,
    IReadOnlyDictionary<string, double[]> ParameterGradients
);
