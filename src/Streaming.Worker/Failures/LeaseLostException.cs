namespace Streaming.Worker.Failures;

/// <summary>Another worker leads the model now.</summary>
internal sealed class LeaseLostException(string model)
    : Exception($"another worker has taken the lease of model \"{model}\"; this one has stopped publishing. Started again, it stands by.");
