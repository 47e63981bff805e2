namespace Streaming.Worker.Failures;

/// <summary>Another worker has taken the lease of the model.</summary>
internal sealed class LeaseLostException(string model)
    : Exception($"another worker has taken the lease of model \"{model}\"; this one has stopped publishing. After a restart it stands by.");
