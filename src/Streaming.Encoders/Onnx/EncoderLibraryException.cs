namespace Streaming.Encoders.Onnx;

/// <summary>A native library of the encoders cannot be loaded. The message names it and what to do.</summary>
public sealed class EncoderLibraryException(string library, Exception inner)
    : Exception(
        $"{library} cannot be loaded ({inner.GetBaseException().Message}). `encode` runs on Linux (glibc; x64, arm64), macOS (arm64) and "
            + "Windows (x64, arm64); build or publish for the platform that it runs on.",
        inner
    );
