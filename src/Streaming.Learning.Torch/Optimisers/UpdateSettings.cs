using System.Runtime.InteropServices;
using Streaming.Models.Options;

namespace Streaming.Learning.Torch.Optimisers;

/// <summary>Settings of Update.cu.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UpdateSettings(ModelOptions model, float learningRate)
{
    public float Clip = model.ClipNorm;
    public float LearningRate = learningRate;
    public float WeightDecay = model.WeightDecay;
    public float RowWeightDecay = model.IdWeightDecay;
    public float Beta1 = model.Beta1;
    public float Beta2 = model.Beta2;
    public float Epsilon = model.Epsilon;
    public float Padding;
    public double LogBeta1 = Logarithm(model.Beta1);
    public double LogBeta2 = Logarithm(model.Beta2);
    public double LogKeep = model.ItemIds ? Math.Log(1 - ((double)learningRate * model.IdWeightDecay)) : 0;

    // Of 0 too, so that its powers are 0 and 0⁰ is 1.
    private static double Logarithm(float beta) => Math.Log(Math.Max(beta, double.Epsilon));
}
