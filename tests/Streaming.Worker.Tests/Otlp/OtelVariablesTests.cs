using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Otlp;
using Streaming.Worker.Settings;
using Xunit;

namespace Streaming.Worker.Tests.Otlp;

/// <summary>OpenTelemetry's variables as settings.</summary>
public sealed class OtelVariablesTests
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317";

    [Fact]
    public void EachVariable_IsASetting()
    {
        TelemetryOptions options = Load(
                Endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
                "OTEL_EXPORTER_OTLP_HEADERS=a=b",
                "OTEL_SERVICE_NAME=shop",
                "OTEL_METRIC_EXPORT_INTERVAL=60000",
                "OTEL_METRICS_EXPORTER=none",
                "OTEL_LOGS_EXPORTER=otlp",
                "OTEL_TRACES_EXPORTER=otlp",
                "OTEL_TRACES_SAMPLER=parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG=0.25"
            )
            .Get<TelemetryOptions>();

        Assert.Equal(
            new TelemetryOptions
            {
                OtlpEndpoint = new Uri("http://c:4317"),
                OtlpProtocol = OtlpProtocol.HttpProtobuf,
                OtlpHeaders = "a=b",
                ServiceName = "shop",
                Interval = TimeSpan.FromMinutes(1),
                Metrics = false,
                Logs = true,
                TraceShare = .25,
            },
            options
        );
    }

    [Theory]
    [InlineData("otlp", "", 1)]
    [InlineData("otlp", "always_off", 0)]
    [InlineData("otlp", "parentbased_always_on", 1)]
    [InlineData("none", "always_on", 0)]
    [InlineData("", "always_on", 0)]
    public void Sampler_IsTheShareIfTracesAreExported(string exporter, string sampler, double share) =>
        Assert.Equal(
            share,
            Load(Endpoint, "OTEL_TRACES_EXPORTER=" + exporter, "OTEL_TRACES_SAMPLER=" + sampler).Get<TelemetryOptions>().TraceShare
        );

    [Fact]
    public void EmptyVariable_CountsAsNotSet() =>
        Assert.Equal("streaming", Load("OTEL_SERVICE_NAME=", Endpoint).Get<TelemetryOptions>().ServiceName);

    [Fact]
    public void ServiceNameAmongTheAttributes_IsTaken() =>
        Assert.Equal("shop", Load("OTEL_RESOURCE_ATTRIBUTES=a=b, service.name=shop").Get<TelemetryOptions>().ServiceName);

    [Fact]
    public void OwnSetting_TakesPrecedence() =>
        Assert.Equal(
            new Uri("http://own:1"),
            Load(Endpoint, "STREAMING__Telemetry__OtlpEndpoint=http://own:1").Get<TelemetryOptions>().OtlpEndpoint
        );

    [Fact]
    public void Source_NamesTheVariable()
    {
        string text = SettingsTable.Effective(Load(Endpoint, "OTEL_EXPORTER_OTLP_HEADERS=key=secret"));
        Assert.Contains("OtlpEndpoint=http://c:4317/  # opentelemetry, OTEL_EXPORTER_OTLP_ENDPOINT", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "(OTEL_EXPORTER_OTLP_PROTOCOL) is 'httpjson'; allowed: one of Grpc, HttpProtobuf")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL=10", "(OTEL_METRIC_EXPORT_INTERVAL) is 10ms; allowed: 1s")]
    [InlineData("OTEL_LOGS_EXPORTER=console", "(OTEL_LOGS_EXPORTER) is 'console'; allowed: true or false")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=secret", "(OTEL_EXPORTER_OTLP_HEADERS) is '***'; allowed: name=value pairs")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=ftp://c", "(OTEL_EXPORTER_OTLP_ENDPOINT) is ftp://c/; allowed: an address with http")]
    public void WrongValue_NamesVariableValueAndWhatIsAllowed(string variable, string error)
    {
        SettingsException exception = Assert.Throws<SettingsException>(() => Load(variable));
        Assert.Contains(error, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownSampler_NamesThoseAllowed()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Load(Endpoint, "OTEL_TRACES_EXPORTER=otlp", "OTEL_TRACES_SAMPLER=jaeger_remote")
        );
        Assert.Contains("OTEL_TRACES_SAMPLER is 'jaeger_remote'; allowed: always_on, ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TracesWithoutACollector_AreRefused()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() => Load("OTEL_TRACES_EXPORTER=otlp"));
        Assert.Contains("OtlpEndpoint is empty; allowed: the address of a collector", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void VariableThatIsNotUsed_IsNamed()
    {
        IReadOnlyList<string> notices = Load(
            "OTEL_PROPAGATORS=b3",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t",
            "OTEL_BSP_SCHEDULE_DELAY=1",
            "OTEL_SDK_DISABLED=true"
        ).Notices;
        Assert.Contains("Not used by this program: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_PROPAGATORS", notices);
        Assert.Contains(notices, static notice => notice.StartsWith("OTEL_SDK_DISABLED is true", StringComparison.Ordinal));
        Assert.Equal(2, notices.Count);
    }

    private static SettingsValues Load(params string[] variables)
    {
        var environment = variables.Select(static pair => pair.Split('=', 2)).ToDictionary(static pair => pair[0], static pair => pair[1]);
        return WorkerSettings.Catalogue.Load([OtelVariables.Layer(environment), SettingsLayer.Environment(environment)]);
    }
}
