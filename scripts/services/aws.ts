/** What an AWS client needs for servers of this machine; they ask for any region and key, or for these. */
export const AWS = { region: 'us-east-1', accessKey: 'sluice', secretKey: 'sluice-secret' } as const;

/** The same as environment variables. */
export const AWS_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: AWS.accessKey,
  AWS_SECRET_ACCESS_KEY: AWS.secretKey,
  AWS_REGION: AWS.region,
  // Tests never reach an account that the machine is signed in to. Empty: to be unset.
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;
