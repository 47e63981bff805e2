using Streaming.Core.Embeddings;
using Streaming.Core.Options;
using Streaming.Transport.Redis;
using Xunit;

namespace Streaming.Transport.Tests.Redis;

public class RedisOptionsTests
{
    [Fact]
    public void Validate_Defaults_Pass() => Assert.Null(Record.Exception(new RedisOptions().Validate));

    [Fact]
    public void Validate_EverythingWrong_NamesEachWithItsValue()
    {
        RedisOptions options = new()
        {
            Configuration = " ",
            PasswordFile = "/no/such/file",
            CertificateAuthorityFile = "/no/such/ca",
            Model = "a:b",
            Partitions = 0,
            Element = (EmbeddingElement)9,
            Layout = (EmbeddingKeyLayout)9,
            TimeToLive = TimeSpan.FromMilliseconds(1),
            TimeToLiveJitter = double.NaN,
            ChangeFeedLength = -1,
            BatchSize = 0,
            ConnectTimeout = TimeSpan.Zero,
            CommandTimeout = TimeSpan.Zero,
            RetryAttempts = 0,
            RetryDelay = TimeSpan.Zero,
            LeaseDuration = TimeSpan.Zero,
        };
        OptionsException error = Assert.Throws<OptionsException>(options.Validate);
        string[] errors = error.Message.Split(Environment.NewLine);

        Assert.Equal(16, error.Errors.Select(static one => one.Property).Distinct().Count());
        Assert.Equal(16, errors.Length);
        Assert.Contains("Partitions is 0; allowed: 1 … 16384.", errors);
        Assert.Contains("PasswordFile is '/no/such/file'; allowed: a file that exists.", errors);
    }

    [Theory]
    [InlineData("localhost,passwrd=s3cret")]
    [InlineData("localhost,password=s3cret,syncTimeout=s3cret")]
    [InlineData("localhost,s3cret=s3cret,ssl=s3cret")]
    public async Task OpenAsync_ConfigurationNotReadable_ErrorNamesKeywordsOnly(string configuration)
    {
        OptionsException error = await Assert.ThrowsAsync<OptionsException>(() =>
            RedisConnection.OpenAsync(new RedisOptions { Configuration = configuration }, TestContext.Current.CancellationToken)
        );

        Assert.DoesNotContain("=s3cret", error.ToString(), StringComparison.Ordinal);
        Assert.Null(error.InnerException);
    }

    [Theory]
    [InlineData("redis://:s3cret@localhost:6379", "is a URL ('redis://…'); allowed: host:port")]
    [InlineData("localhost,passwrd=s3cret", "is unreadable, with the keywords passwrd;")]
    [InlineData("password=s3cret", "is without a server;")]
    public void Validate_ConfigurationNotReadable_IsOneLineWithoutTheSecret(string configuration, string said)
    {
        string error = Assert.Throws<OptionsException>(new RedisOptions { Configuration = configuration }.Validate).Message;
        Assert.StartsWith("Configuration", error, StringComparison.Ordinal);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Theory]
    [InlineData("a:7000,b:7001,c:7002")]
    [InlineData("a:26379,b:26379,serviceName=main")]
    [InlineData("a:6380,user=trainer,password=x,ssl=true")]
    public void Validate_ClusterSentinelOrUser_Pass(string configuration) =>
        Assert.Null(Record.Exception(new RedisOptions { Configuration = configuration }.Validate));
}
