/** RFC 8628, section 3.4. */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** As MSAL for Node.js and old clients call it. They wait for `authorization_declined` as well. */
export const DEVICE_CODE_ALIAS = 'device_code';
