namespace Streaming.Learning.Torch.Timing;

/// <summary>Parts of a training step, in order.</summary>
internal enum StepPart
{
    /// <summary>Preparing the batch and copying it to the device.</summary>
    Upload,

    /// <summary>Item and user vectors.</summary>
    Forward,

    /// <summary>The softmax of all widths with its gradients with respect to users and candidates.</summary>
    Loss,

    /// <summary>From the user vectors back to the parameters.</summary>
    Backward,

    /// <summary>Norm, clip, optimisers.</summary>
    Update,

    /// <summary>Reading the loss, and enqueuing the positives.</summary>
    Bank,
}
