namespace Streaming.Learning.Torch.Softmax;

/// <summary>Gradients of a softmax.</summary>
[Flags]
internal enum SoftmaxGradients
{
    /// <summary>With respect to the user vectors.</summary>
    Users = 1,

    /// <summary>With respect to the own candidates.</summary>
    Candidates = 2,

    /// <summary>Both.</summary>
    All = Users | Candidates,
}
