namespace Streaming.Kernels.Linear;

/// <summary>One product: C[M × N] = or += op(A)[M × K] · op(B)[K × N].</summary>
internal ref struct GemmJob
{
    public GemmOperand A;
    public GemmOperand B;
    public Span<float> C;
    public int M;
    public int N;
    public int K;
    public int LeadingC;
    public bool Accumulate;
    public int Parts;
    public bool DivideRows;
}
