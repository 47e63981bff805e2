namespace Streaming.Worker.Otlp;

/// <summary>How OTLP is spoken.</summary>
public enum OtlpProtocol
{
    /// <summary>gRPC, as a rule at port 4317.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP, as a rule at port 4318.</summary>
    HttpProtobuf,
}
